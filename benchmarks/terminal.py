"""Measure the time from a key to its frame, and the cost of an idle program."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import trio
from sizes import size
from table import show

from ticketr.terminal import Event, Key, Terminal, open_terminal, sgr

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

KEYS = size(300, toy=3)
RATE = 20.0
IDLE = size(2.0, toy=0.1)
WIDTH, HEIGHT = 80, 24
DEMO = [sys.executable, __file__, "demo"]
_FRAME_END = b"\x1b[?2026l"


@contextmanager
def on_terminal(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Generator[tuple[int, int]]:
    """Run a program on its own terminal, in a folder; return the user's end and the process."""
    user, terminal = os.openpty()
    fcntl.ioctl(user, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    variables = {**os.environ, "TERM": "xterm-256color", **(environment or {})}
    with subprocess.Popen(
        command,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        env=variables,
        cwd=folder,
    ) as process:
        os.close(terminal)
        try:
            yield user, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            os.close(user)


def read_frame(user: int, seconds: float = 20.0) -> bytes:
    """Read until a frame is complete."""
    data = b""
    while not data.endswith(_FRAME_END):
        if not select.select([user], [], [], seconds)[0]:
            raise TimeoutError(f"no frame, but {data!r}")
        data += os.read(user, 1 << 16)
    return data


def read_for(user: int, seconds: float) -> bytes:
    """Read what arrives within some seconds."""
    data, end = b"", time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        if select.select([user], [], [], left)[0]:
            data += os.read(user, 1 << 16)
    return data


def key_to_frame(user: int, keys: int = KEYS) -> list[float]:
    """Press keys at a steady rate; return the seconds from each to its frame's last byte."""
    seconds = []
    for _ in range(keys):
        begun = time.perf_counter()
        os.write(user, b"j")
        read_frame(user)
        seconds.append(time.perf_counter() - begun)
        read_for(user, begun + 1 / RATE - time.perf_counter())
    return seconds


def wakeups(pid: int) -> int:
    """Return how often all threads of a process have gone to sleep."""
    pattern = re.compile(r"^voluntary_ctxt_switches:\s*(\d+)$", re.MULTILINE)
    found = (
        pattern.search(path.read_text()) for path in Path(f"/proc/{pid}/task").glob("*/status")
    )
    return sum(int(each[1]) for each in found if each)


def run() -> None:
    """Measure, and show the table's rows."""
    with on_terminal(DEMO) as (user, pid):
        read_frame(user)
        seconds = key_to_frame(user)
        before = wakeups(pid)
        written = len(read_for(user, IDLE))
        woken = wakeups(pid) - before
    middle, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
    pressed = f"{KEYS} keys at {RATE:g} a second"
    show(
        f"key to frame, {pressed}: median {middle:.1f} ms, worst {worst:.1f} ms",
        f"idle for {IDLE:g} s: {written} bytes written, {woken} wake-ups",
    )


async def demo() -> None:
    """Move a selection down a list with each key, and count in the last row."""
    async with open_terminal() as terminal:
        await draw_frames(terminal)


async def draw_frames(terminal: Terminal) -> None:
    send, events = trio.open_memory_channel[Event](0)
    pressed = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(terminal.events, send)
        await terminal.draw(frame(terminal, pressed))
        async for event in events:
            if not isinstance(event, Key):
                nursery.cancel_scope.cancel()
            pressed += 1
            await terminal.draw(frame(terminal, pressed))


def frame(terminal: Terminal, pressed: int) -> list[str]:
    width, height = terminal.size
    lines = [f"PROJ-{row} A ticket's title".ljust(width) for row in range(height - 1)]
    selected = pressed % len(lines)
    lines[selected] = sgr(lines[selected], "reverse")
    return [*lines, sgr(f"{pressed} keys".ljust(width), "cyan", colors=terminal.colors)]


if __name__ == "__main__":
    if sys.argv[1:] == ["demo"]:
        trio.run(demo)
    else:
        run()
