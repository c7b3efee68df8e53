"""What a Jira site holds: plain records, and the `Site` that finds them."""

from __future__ import annotations
