"""The command line: `main` runs it."""

from __future__ import annotations

import gc
import signal
import sys
from importlib.util import find_spec

from ticketr.cli import exits

__all__ = ["main"]

#: The modules that the extra ``app`` installs.
APP_MODULES = (
    "blessed",
    "click",
    "httpx",
    "markdown_it",
    "marklas",
    "platformdirs",
    "tomlkit",
    "wcwidth",
    "yaml",
)


#: The objects after which garbage is looked for while a command starts. Imports make many objects
#: and hardly any garbage; looking for it takes a tenth of the start.
_OBJECTS = 100_000


def main() -> None:
    """Run the command line and end the process with the right exit code.

    The commands are imported here, so that Ctrl+C during the import shows no traceback.
    """
    gc.set_threshold(_OBJECTS)
    if any(find_spec(name) is None for name in APP_MODULES):
        words = "ticketr: the app needs more packages: pip install 'ticketr[app]'"
        print(words, file=sys.stderr)  # noqa: T201 - a command talks to people
        sys.exit(exits.USAGE)
    try:
        from ticketr.cli.streams import prepare_streams

        prepare_streams()
        from ticketr.cli.app import main as run
    except KeyboardInterrupt:
        print("ticketr: interrupted", file=sys.stderr)  # noqa: T201 - a command talks to people
        sys.exit(exits.for_signal(signal.SIGINT))
    run()
