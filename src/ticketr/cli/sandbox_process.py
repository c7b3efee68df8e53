"""The sandbox as a process of its own, for ``ticketr demo``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from typing import IO, TYPE_CHECKING

import trio

from ticketr._errors import TicketrError
from ticketr.cli import exits
from ticketr.config import TOKEN_NAMES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

_ANNOUNCEMENT = "listening on "
_START_LIMIT = 30.0
_END_LIMIT = 2.0
_LONGEST_REASON = 4096


class SandboxFailed(TicketrError):
    """Raised when the sandbox's process does not come up.

    Attributes:
        reason: Its own last words; empty if it had none.
        wrong_usage: Whether it did not accept what it was asked for.
    """

    def __init__(self, reason: str = "", *, wrong_usage: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wrong_usage = wrong_usage

    def __str__(self) -> str:
        return f"the sandbox did not start: {self.reason or '`ticketr sandbox` may show why'}"


@asynccontextmanager
async def open_sandbox(
    *,
    tickets: int | None = None,
    seed: int | None = None,
    latency: float = 0.0,
    data: Path | None = None,
) -> AsyncGenerator[str]:
    """Run the sandbox while the block runs.

    It ends when our end of its pipe closes, so it ends however we end, a kill included; and its
    loop, its output and a terminal's signals are not ours. It gets no token of the user's.

    Args:
        tickets: How many a new site has.
        seed: Which of the many possible sites a new one is.
        latency: Seconds before each response.
        data: The file that keeps the site, if any.

    Yields:
        Its address.

    Raises:
        SandboxFailed: It did not come up.
    """
    # -P: a module in the current folder, which may be anybody's clone, is not imported.
    command = [sys.executable, "-P", "-m", "ticketr", "sandbox", "--exit-with-stdin"]
    options = {"tickets": tickets, "seed": seed, "latency": latency, "data": data}
    command += [f"--{name}={value}" for name, value in options.items() if value is not None]
    # A file takes what it has to complain of without anybody reading it; a pipe would fill up.
    with tempfile.TemporaryFile() as complaints:
        process = await trio.lowlevel.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name not in TOKEN_NAMES},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield await _announced(process, process.stdout, complaints)
        finally:
            process.terminate()
            with trio.move_on_after(_END_LIMIT, shield=True):
                await process.wait()
            with trio.move_on_after(_END_LIMIT, shield=True):
                await trio.aclose_forcefully(process.stdin)
                await trio.aclose_forcefully(process.stdout)


async def _announced(
    process: trio.Process, output: trio.abc.ReceiveStream, complaints: IO[bytes]
) -> str:
    received = b""
    with trio.move_on_after(_START_LIMIT):
        while b"\n" not in received and (some := await output.receive_some()):
            received += some
    line = received.decode(errors="replace").strip()
    if line.startswith(_ANNOUNCEMENT):
        return line.removeprefix(_ANNOUNCEMENT)
    with trio.move_on_after(_END_LIMIT):
        await process.wait()
    raise SandboxFailed(_last_words(complaints), wrong_usage=process.returncode == exits.USAGE)


def _last_words(complaints: IO[bytes]) -> str:
    size = complaints.seek(0, 2)
    complaints.seek(max(0, size - _LONGEST_REASON))
    lines = complaints.read().decode(errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    return last.removeprefix("ticketr: ").removeprefix("Error: ")
