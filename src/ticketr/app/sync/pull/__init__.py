"""From Jira to the files: decide what to fetch, fetch it, hand whole families to the writer."""
