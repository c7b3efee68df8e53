"""The command line: `main` runs it.

This module imports next to nothing, and `main` the rest, so that Ctrl+C shows no traceback whenever
it comes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

TYPE_CHECKING = False  # Ctrl+C while `typing` was imported would be a traceback

__all__ = ["main"]

#: The modules that the extra ``app`` installs.
APP_EXTRA_MODULES = (
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
_GC_THRESHOLD = 100_000
#: The exit code of ``exits.for_signal(SIGINT)``, which needs imports.
_INTERRUPTED_EXIT_CODE = 130


def main() -> None:
    """Run the command line and end the process with the right exit code.

    Ctrl+C ends the process at once while the program is loaded and after the command. The command
    itself gets a KeyboardInterrupt; see `ticketr.app.cli.app`.
    """
    try:
        import signal

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # it may be ignored
            signal.signal(signal.SIGINT, exit_interrupted)
        run = _prepare_and_import_main()
        run()
    except KeyboardInterrupt:
        exit_interrupted()


def _prepare_and_import_main() -> Callable[[], None]:
    """Import the command line; exit where the app cannot run, and make the streams safe."""
    import gc
    from importlib.util import find_spec

    gc.set_threshold(_GC_THRESHOLD)
    if find_spec("fcntl") is None:
        _exit_with_usage_error(
            "the app needs Linux, macOS or another POSIX system, such as WSL on Windows; "
            "what Python imports as ticketr works here"
        )
    if any(find_spec(name) is None for name in APP_EXTRA_MODULES):
        from ticketr._install import missing_packages_message

        _exit_with_usage_error(missing_packages_message("the app", "app"))
    from ticketr.app.cli.console import reopen_streams_and_ignore_stderr_errors

    reopen_streams_and_ignore_stderr_errors()
    from ticketr.app.cli.app import main as run

    return run


def _exit_with_usage_error(words: str) -> NoReturn:
    from ticketr.app.cli import exits

    print(f"ticketr: {words}", file=sys.stderr)  # noqa: T201 - a command talks to people
    sys.exit(exits.USAGE)


def exit_interrupted(*_: object) -> NoReturn:
    """Exit at once because of Ctrl+C; also a signal handler.

    An exception instead of this could hit code that only prints it, such as a callback of the
    garbage collector.
    """
    try:  # noqa: SIM105 - `contextlib` may be what is being imported
        os.write(2, b"ticketr: interrupted\n")
    except OSError:
        pass
    os._exit(_INTERRUPTED_EXIT_CODE)
