"""Imports httpx without its command line.

httpx imports the command line with the library, if what it needs is installed: rich and pygments.
They would take a third of the time in which a command starts.
"""

from __future__ import annotations

import sys
from typing import Any, cast

_COMMAND_LINE = "httpx._main"

__all__ = ["httpx"]

if "httpx" in sys.modules:
    import httpx
else:
    # None makes the import of that name fail, as it does where rich is not installed.
    sys.modules[_COMMAND_LINE] = cast("Any", None)
    try:
        import httpx
    finally:
        del sys.modules[_COMMAND_LINE]
