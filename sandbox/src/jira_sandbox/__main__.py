"""``python -m jira_sandbox``."""

from __future__ import annotations

from jira_sandbox.cli import main

if __name__ == "__main__":
    main()
