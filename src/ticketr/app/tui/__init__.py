"""The full-screen app."""

from __future__ import annotations
