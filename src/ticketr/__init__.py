"""ticketr."""

from __future__ import annotations

from ticketr._version import __version__ as __version__
