"""From Jira to the files: decide what to fetch, fetch it, hand complete families to the writer."""
