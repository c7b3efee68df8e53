"""The panels of the main screen: the workspaces, the tickets, and the open ticket. Pure."""

from __future__ import annotations
