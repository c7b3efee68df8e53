"""The sandbox as a process of its own, for ``ticketr demo``."""

from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from ticketr._errors import TicketrError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_ANNOUNCEMENT = "listening on "
_START_LIMIT = 30.0
_END_LIMIT = 2.0


class SandboxFailed(TicketrError):
    """Raised when the sandbox's process does not come up."""

    def __str__(self) -> str:
        return "the sandbox did not start; `ticketr sandbox` by itself shows why"


@asynccontextmanager
async def open_sandbox(*, tickets: int, seed: int, latency: float) -> AsyncGenerator[str]:
    """Run the sandbox while the block runs.

    It ends when our end of its pipe closes, so it ends however we end, a kill included; and its
    loop, its output and a terminal's signals are not ours.

    Yields:
        Its address.

    Raises:
        SandboxFailed: it did not come up.
    """
    command = [sys.executable, "-m", "ticketr", "sandbox", "--exit-with-stdin"]
    command += [f"--tickets={tickets}", f"--seed={seed}", f"--latency={latency}"]
    process = await trio.lowlevel.open_process(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield await _announced(process.stdout)
    finally:
        process.terminate()
        with trio.move_on_after(_END_LIMIT, shield=True):
            await process.wait()
        with trio.move_on_after(_END_LIMIT, shield=True):
            await trio.aclose_forcefully(process.stdin)
            await trio.aclose_forcefully(process.stdout)


async def _announced(output: trio.abc.ReceiveStream) -> str:
    received = b""
    with trio.move_on_after(_START_LIMIT):
        while b"\n" not in received and (some := await output.receive_some()):
            received += some
    line = received.decode(errors="replace").strip()
    if not line.startswith(_ANNOUNCEMENT):
        raise SandboxFailed
    return line.removeprefix(_ANNOUNCEMENT)
