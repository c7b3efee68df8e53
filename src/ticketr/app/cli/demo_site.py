"""The workspace of a demo, and the Jira stand-in that it belongs to."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import click
import trio

from ticketr._errors import TicketrError
from ticketr._install import missing_packages_message
from ticketr.app import jira, sync
from ticketr.app.cli import exits
from ticketr.app.cli.ownership import owner_mark_refusing_foreign_state
from ticketr.app.config import STATE_FOLDER, TOKEN_VARIABLES

#: The file that keeps the demo's Jira, in ticketr's own folder.
DATABASE_FILE = "demo.db"
#: The demo's project.
PROJECT_KEY = "DEMO"
_LISTENING_PREFIX = "listening on "
_ERROR_PREFIX = "jira-sandbox: "
_END_TIMEOUT_SECONDS = 2.0
_MAX_STDERR_TAIL_BYTES = 4096


def has_demo_extra() -> bool:
    """Return whether the sandbox is installed."""
    return find_spec("jira_sandbox") is not None


def require_demo_extra(command: str) -> None:
    """Raise a usage error if the sandbox is not installed."""
    if not has_demo_extra():
        raise click.UsageError(missing_packages_message(command, "demo"))


@dataclass(eq=False, repr=False)
class SandboxFailed(TicketrError):
    """Raised when the sandbox's process does not start.

    Attributes:
        reason: The error that the process printed, without its advice; may be empty.
    """

    reason: str = ""

    def __str__(self) -> str:
        return f"the sandbox did not start: {self.reason or '`ticketr sandbox` may show why'}"


@asynccontextmanager
async def open_sandbox(**options: object) -> AsyncGenerator[str]:
    """Run the sandbox while the block runs.

    The sandbox ends when its standard input closes, so it ends however this process ends, even
    by SIGKILL. It runs in its own session, so a terminal's signals do not reach it, and its
    environment holds no token of the user.

    Args:
        options: The options of ``jira-sandbox``; None leaves one out.

    Yields:
        The site's URL.

    Raises:
        click.UsageError: The sandbox does not take the options.
        SandboxFailed: The sandbox did not start.
    """
    # -P: import no module from the current folder, which may be a clone of foreign files.
    command = [sys.executable, "-P", "-m", "jira_sandbox", "--exit-with-stdin"]
    command += [f"--{name}={value}" for name, value in options.items() if value is not None]
    # A file, since nothing reads standard error meanwhile; a pipe would fill up.
    with tempfile.TemporaryFile() as stderr:
        process = await trio.lowlevel.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name not in TOKEN_VARIABLES},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield await _read_address(process, process.stdout, stderr)
        finally:
            process.terminate()
            with trio.move_on_after(_END_TIMEOUT_SECONDS, shield=True):
                await process.wait()
            process.kill()  # if it has not ended by then
            with trio.move_on_after(_END_TIMEOUT_SECONDS, shield=True):
                await process.wait()
                await trio.aclose_forcefully(process.stdin)
                await trio.aclose_forcefully(process.stdout)


async def _read_address(
    process: trio.Process, output: trio.abc.ReceiveStream, stderr: IO[bytes]
) -> str:
    received = b""
    while b"\n" not in received and (some := await output.receive_some()):
        received += some
    line = received.decode(errors="replace").strip()
    if line.startswith(_LISTENING_PREFIX):
        return line.removeprefix(_LISTENING_PREFIX)
    with trio.move_on_after(_END_TIMEOUT_SECONDS):
        await process.wait()
    reason = _read_failure_reason(stderr)
    if process.returncode == exits.USAGE:
        raise click.UsageError(reason)
    raise SandboxFailed(reason)


def _read_failure_reason(stderr: IO[bytes]) -> str:
    """Return the line with the sandbox's last error, or the last line if Python wrote it."""
    size = stderr.seek(0, 2)
    stderr.seek(max(0, size - _MAX_STDERR_TAIL_BYTES))
    lines = [line for line in stderr.read().decode(errors="replace").split("\n") if line.strip()]
    errors = [line for line in lines if line.startswith(_ERROR_PREFIX)]
    return (errors or lines or [""])[-1].removeprefix(_ERROR_PREFIX)


def prepare_demo_folder_and_mark(folder: Path | None = None) -> tuple[Path, str]:
    """Prepare the folder of a demo; synchronous.

    Args:
        folder: The folder; None for a new one for temporary files.

    Returns:
        The folder, and the mark of its state file.

    Raises:
        WrongFileKind: A link or the like has the name of ticketr's folder.
        FileFailed: The folder cannot be made or written.
        ConfigError: See `owner_mark_refusing_foreign_state`, as for its other errors.
    """
    root = folder.absolute() if folder else Path(tempfile.mkdtemp(prefix="ticketr-demo-"))
    store = sync.Store(root, STATE_FOLDER)
    store.folder.check_file_kinds()
    mark = owner_mark_refusing_foreign_state(root)
    store.make_state_folder()
    return root, mark


def how_to_continue_demo(root: Path) -> str:
    """Return where the files of a demo are, and the command that continues it.

    Args:
        root: The folder of the demo.
    """
    again = shlex.join(["ticketr", "demo", "-C", str(root)])
    return f"The tickets are Markdown files in {root}; '{again}' continues with them"


@asynccontextmanager
async def open_demo(
    root: Path, mark: str, **options: object
) -> AsyncGenerator[sync.SessionOptions]:
    """Run a Jira stand-in for a folder while the block runs.

    Args:
        root: The folder.
        mark: The mark of its state file.
        options: As for `open_sandbox`.

    Yields:
        The options of jobs between them.

    Raises:
        SandboxFailed: The stand-in did not start.
    """
    async with open_sandbox(data=root / STATE_FOLDER / DATABASE_FILE, **options) as url:
        login = jira.Credentials(url, "demo@example.com", "demo")
        yield {
            "root": root,
            "credentials": login,
            "project": PROJECT_KEY,
            "state_owner_mark": mark,
            "comments": True,
        }
