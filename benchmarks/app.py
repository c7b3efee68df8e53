"""Measure the app on a real terminal during a pull: answers to keys, and a terminal that stalls."""

from __future__ import annotations

import os
import select
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import app_large
import app_peer
from app_large import pulled
from sizes import size
from terminal import on_terminal, read_for, read_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

TICKETS = size(5000, toy=400)
LATENCY = size(0.5, toy=2.0)
KEYS_A_SECOND = 20
#: Enough keys for the whole time of the pull.
KEYS = size(60, toy=2)
MARK = "▌".encode()
ROUNDS = size(3, toy=1)
#: How many seconds the terminal is not read, at least; the server's latency alone takes longer.
STALL = size(5.0, toy=0.0)
#: Seconds between two checks of the progress of the pull.
LOOK = 0.05


def key_to_selection(user: int) -> list[float]:
    """Move the selection, and time each move until the selected row is drawn."""
    times = []
    for number in range(KEYS):
        read_for(user, 1 / KEYS_A_SECOND)
        start = time.perf_counter()
        os.write(user, b"jk"[number % 2 : number % 2 + 1])
        while MARK not in read_frame(user):
            pass
        times.append(time.perf_counter() - start)
    return times


def app(folder: Path, tickets: int) -> list[str]:
    """Return the command that opens the app on the sandbox and pulls."""
    return [
        *(sys.executable, "-P", "-m", "ticketr", "demo", f"--folder={folder}"),
        *(f"--tickets={tickets}", f"--latency={LATENCY}"),
    ]


def wait_for_pull(user: int) -> None:
    while b"Pulling tickets" not in read_frame(user):
        pass


def leave(user: int) -> None:
    os.write(user, b"q")
    with suppress(OSError):  # Linux reports a closed terminal so
        read_for(user, 1.0)


def answers(root: Path) -> list[str]:
    """Measure the keys, and return their rows."""
    with on_terminal(app(root / "keys", TICKETS)) as (user, _):
        wait_for_pull(user)
        times = key_to_selection(user)
        start = time.perf_counter()
        os.write(user, b"\x1b")
        while b"Cancelled: " not in read_frame(user):
            pass
        cancelled = time.perf_counter() - start
        leave(user)
    median, worst = statistics.median(times) * 1e3, max(times) * 1e3
    found = f"{median:.1f} ms median, {worst:.1f} ms worst"
    pull = f"app, pull of {TICKETS}"
    return [
        f"{pull}: {found} from key to frame, {KEYS_A_SECOND} keys a second",
        f"{pull}: {cancelled * 1e3:.0f} ms from Esc to the count on the screen",
    ]


def has_room(terminal: int) -> bool:
    """Return whether a terminal accepts bytes, now or after the kernel has moved its buffers."""
    return bool(select.select([], [terminal], [], 0.2)[1])


def fill(terminal: int) -> None:
    """Write bytes that a terminal ignores until it accepts no more."""
    while has_room(terminal):
        with suppress(BlockingIOError):
            os.write(terminal, bytes(512))


def seconds_of_pull(folder: Path, *, is_read: bool) -> float:
    """Time a pull from its first frame to its last ticket, on a terminal that is read or full."""
    with on_terminal(app(folder, TICKETS)) as (user, pid):
        wait_for_pull(user)
        start = time.perf_counter()
        name = Path(f"/proc/{pid}/fd/0").readlink()  # not 1, which the app has led elsewhere
        terminal = os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        if not is_read:
            fill(terminal)
        while pulled(folder) < TICKETS:
            if is_read:
                read_for(user, LOOK)
            else:
                time.sleep(LOOK)  # noqa: TID251 - a process of its own, and there is no loop
        seconds = time.perf_counter() - start
        if not is_read and (has_room(terminal) or seconds < STALL):
            raise RuntimeError(f"the terminal was not full, or only for {seconds:.1f} s")
        os.close(terminal)
        leave(user)
    return seconds


def stall(root: Path) -> list[str]:
    """Measure a pull on a terminal that is not read, and return the row."""
    read, unread = [], []
    for number in range(ROUNDS):
        read.append(seconds_of_pull(root / f"read-{number}", is_read=True))
        unread.append(seconds_of_pull(root / f"unread-{number}", is_read=False))
    with_reader, without = statistics.median(read), statistics.median(unread)
    found = f"{with_reader / without:.2f} of the speed with a reader"
    found += f" ({without:.2f}s against {with_reader:.2f}s)"
    return [f"app, pull of {TICKETS}, nobody reads the terminal: {found}"]


def rows() -> Iterator[str]:
    """Measure, and yield the table's rows."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        # An install of the peer needs the network.
        peer = size((app_peer.rows,), toy=())
        for measure in (app_large.rows, *peer, answers, stall):
            yield from measure(root)
