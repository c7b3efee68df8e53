"""From the files to Jira: plan, check, send, and find what was sent before an answer was lost."""
