"""Imports httpx without its command line, without HTTP/2 and without anyio.

httpx imports the command line with the library, if what it needs is installed: rich and pygments.
They would take a third of the time in which a command starts. In the same way it imports h2, if the
sandbox is installed, and anyio; the transport speaks HTTP/1.1, under Trio.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, cast

__all__ = ["httpx", "load_connections"]


@contextmanager
def _hide_module(name: str) -> Iterator[None]:
    """Let the import of a module that is not loaded fail, as where it is not installed."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = cast("Any", None)
    try:
        yield
    finally:
        del sys.modules[name]


def load_connections() -> None:
    """Import the half of httpx that connects; it takes a moment, so call it in a thread."""
    with _hide_module("h2"), _hide_module("anyio"):
        import_module("httpcore")


if "httpx" in sys.modules:
    import httpx
else:
    with _hide_module("httpx._main"):
        import httpx
