"""The command line: `main` runs it."""

from __future__ import annotations

import signal
import sys

from ticketr.cli import exits

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with the right exit code.

    The commands are imported here, so that Ctrl+C during the import shows no traceback.
    """
    try:
        from ticketr.cli.streams import prepare_streams

        prepare_streams()
        from ticketr.cli.app import main as run
    except KeyboardInterrupt:
        print("ticketr: interrupted", file=sys.stderr)  # noqa: T201 - a command talks to people
        sys.exit(exits.for_signal(signal.SIGINT))
    run()
