"""Whoever speaks HTTP for the client: one protocol, one adapter for each package."""

from __future__ import annotations

from ticketr.jira.transport.base import Request, Response, Transport

__all__ = ["Request", "Response", "Transport"]
