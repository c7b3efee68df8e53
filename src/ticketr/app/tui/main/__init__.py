"""What the keys of the main screen do. Pure."""

from __future__ import annotations
