"""Exit codes: what they mean, and which error ends with which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal

DONE = 0
#: Anything that went wrong at run time: no connection, a wrong token, a file that cannot be read.
FAILURE = 1
#: Wrong usage or missing configuration; click uses it too.
USAGE = 2
#: The command did its work, but not for every ticket.
PARTLY = 3
#: Stopped by a signal: its number is added.
SIGNAL_OFFSET = 128

#: The exit codes of commands that bring tickets from Jira, or to it, and their meanings.
TICKET_COMMAND_EXITS = {
    str(DONE): "Done, also if there was nothing to do.",
    str(FAILURE): "Failed: no connection, a wrong token, a file that cannot be read.",
    str(USAGE): "Wrong usage, or a setting is missing.",
    str(PARTLY): "Done, but with conflicts, or some tickets failed.",
    "130": "Stopped by Ctrl+C; 143 by SIGTERM, 129 by SIGHUP.",
}
#: Those of other commands that ask Jira.
REMOTE_EXITS_WITHOUT_PARTLY = {
    code: words for code, words in TICKET_COMMAND_EXITS.items() if code != str(PARTLY)
}
#: Those of commands that send no request.
LOCAL_COMMAND_EXITS = REMOTE_EXITS_WITHOUT_PARTLY | {
    str(FAILURE): "Failed: a file cannot be read or written."
}


def for_error(error: BaseException) -> int:
    """Return the exit code for an error that ended a command."""
    from ticketr.app import config, sync

    is_usage = (
        isinstance(error, config.ConfigError) or type(error).__name__ in sync.USAGE_ERROR_NAMES
    )
    return USAGE if is_usage else FAILURE


def for_signal(number: signal.Signals) -> int:
    """Return the exit code for a signal that ended a command, as shells count it."""
    return SIGNAL_OFFSET + number
