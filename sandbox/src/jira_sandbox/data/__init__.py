"""The data of a Jira site: plain records, the `Site` that holds them, and its file."""

from __future__ import annotations
