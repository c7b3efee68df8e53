"""The command line: what each command does is elsewhere, here is how it is called."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with the right exit code.

    It is loaded here, so that Ctrl+C is no traceback while it is.
    """
    try:
        from ticketr.cli.streams import prepare_streams

        prepare_streams()
        from ticketr.cli.app import main as run
    except KeyboardInterrupt:
        print("ticketr: interrupted", file=sys.stderr)  # noqa: T201 - a command talks to people
        sys.exit(130)
    run()
