"""Exit codes, and which error ends with which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal

DONE = 0
#: Anything that went wrong at run time: no connection, a wrong token, a file that cannot be read.
FAILED = 1
#: Wrong usage or missing configuration; click uses it too.
USAGE = 2
#: The command did its work, but not for every ticket.
PARTLY = 3
#: Stopped by a signal: its number is added.
SIGNALLED = 128


def for_error(error: BaseException) -> int:
    """Return the exit code for an error that ended a command."""
    from ticketr.config import ConfigError

    return USAGE if isinstance(error, ConfigError) else FAILED


def for_signal(number: signal.Signals) -> int:
    """Return the exit code for a signal that ended a command, as shells count it."""
    return SIGNALLED + number
