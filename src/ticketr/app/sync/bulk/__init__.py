"""Changes many issues in Jira at once, without a file. The next pull brings the changes."""

from __future__ import annotations
