"""The command line: what each command does is elsewhere, here is how it is called."""

from __future__ import annotations

from ticketr.cli.app import main

__all__ = ["main"]
