"""What a program that writes to a terminal needs to know of it, and how it opens it again.

The status line, the full-screen app and the commands share these rules. No package beside the
standard library is loaded, so that a status line does not load what a full screen needs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def can_draw(environ: Mapping[str, str]) -> bool:
    """Tell whether ``TERM`` names a terminal that can do more than print lines."""
    return environ.get("TERM", "") not in {"", "dumb", "unknown"}


def wants_color(environ: Mapping[str, str], *, by_default: bool) -> bool:
    """Tell whether the user wants colour.

    Args:
        environ: The environment. ``NO_COLOR`` forbids colour, ``FORCE_COLOR`` and
            ``CLICOLOR_FORCE`` demand it, ``CLICOLOR=0`` turns off the default.
        by_default: Whether the output can show colour.
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") or environ.get("CLICOLOR_FORCE"):
        return True
    return environ.get("CLICOLOR") != "0" and by_default


def reopen_nonblocking_or_dup(descriptor: int, flags: int) -> tuple[int, bool]:
    """Open the terminal of a descriptor again, non-blocking.

    The flag that makes a descriptor non-blocking belongs to the open file, which this process
    shares with the shell that started it. Hence a second opening.

    Args:
        descriptor: A descriptor of the terminal.
        flags: ``os.O_RDONLY`` or ``os.O_WRONLY``.

    Returns:
        The new descriptor, and whether it never blocks. After `su` or in a container the file of
        the terminal may be out of reach: then the descriptor is a copy that may block.
    """
    flags |= os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        # Not /dev/tty, which kqueue refuses.
        return os.open(os.ttyname(descriptor), flags), True
    except OSError:
        return os.dup(descriptor), False
