"""The terminal app: keeps Jira tickets as Markdown files. The library knows nothing of it."""
