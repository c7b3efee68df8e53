"""Measure the app on a real terminal during a pull: answers to keys, and a terminal that stalls."""

from __future__ import annotations

import os
import re
import select
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import app_large
import app_peer
from app_large import pulled
from sizes import size
from table import show
from terminal import on_terminal, read_for, read_frame

TICKETS = size(5000, toy=400)
LATENCY = size(0.5, toy=2.0)
KEYS_A_SECOND = 20
#: Enough keys for the whole time of the pull.
KEYS = size(60, toy=2)
MARK = "▌".encode()
ROUNDS = size(3, toy=1)
#: How often a pull is cancelled.
ESCAPES = size(9, toy=1)
#: The goals from Esc to the count, in seconds: without and with the kitty keyboard protocol.
PLAIN_GOAL, PROTOCOL_GOAL = 0.050, 0.030
#: The variables that change how long an Esc is held.
LOCAL = dict.fromkeys(("ESCDELAY", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY"), "")
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


def answers(root: Path) -> None:
    """Measure the keys, and show their rows."""
    with on_terminal(app(root / "keys", TICKETS)) as (user, _):
        wait_for_pull(user)
        times = key_to_selection(user)
        leave(user)
    median, worst = statistics.median(times) * 1e3, max(times) * 1e3
    found = f"{median:.1f} ms median, {worst:.1f} ms worst"
    show(f"app, pull of {TICKETS}: {found} from key to frame, {KEYS_A_SECOND} keys a second")
    for speaks in (False, True):
        show(escapes(root, speaks_protocol=speaks))


def escapes(root: Path, *, speaks_protocol: bool) -> str:
    """Cancel a pull again and again, and return the row of the times until the screen says so."""
    esc, goal = (b"\x1b[27u", PROTOCOL_GOAL) if speaks_protocol else (b"\x1b", PLAIN_GOAL)
    words = "with the kitty keyboard protocol" if speaks_protocol else "without it"
    times = []
    command = app(root / f"escapes-{speaks_protocol}", TICKETS)
    with on_terminal(command, environment=LOCAL) as (user, _):
        answer(user, rb"\x1b\[\?u\x1b\[c", b"\x1b[?0u" if speaks_protocol else b"")
        if speaks_protocol:
            answer(user, rb"\x1b\[>5u\x1b\[\?u\x1b\[c", b"\x1b[?5u")
        wait_for_pull(user)
        for number in range(ESCAPES):
            if number:
                os.write(user, b"P")
                wait_for_pull(user)
            read_for(user, LOOK)
            start = time.perf_counter()
            os.write(user, esc)
            while b"Cancelled: " not in read_frame(user):
                pass
            times.append(time.perf_counter() - start)
        leave(user)
    median = statistics.median(times)
    found = f"{median * 1e3:.0f} ms median, {max(times) * 1e3:.0f} ms worst"
    found += f" from Esc to the count on the screen, {words} (goal {goal * 1e3:.0f})"
    return f"app, pull of {TICKETS}: {found}{'' if median <= goal else ': MISSED'}"


def answer(user: int, question: bytes, text: bytes) -> None:
    """Wait for the program's question, and answer as a terminal does."""
    data = b""
    while not re.search(question, data):
        data += read_for(user, 0.01)
    os.write(user, text + b"\x1b[?62c")


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


def stall(root: Path) -> None:
    """Measure a pull on a terminal that is not read, and show the row."""
    read, unread = [], []
    for number in range(ROUNDS):
        read.append(seconds_of_pull(root / f"read-{number}", is_read=True))
        unread.append(seconds_of_pull(root / f"unread-{number}", is_read=False))
    with_reader, without = statistics.median(read), statistics.median(unread)
    found = f"{with_reader / without:.2f} of the speed with a reader"
    found += f" ({without:.2f}s against {with_reader:.2f}s)"
    show(f"app, pull of {TICKETS}, nobody reads the terminal: {found}")


def run() -> None:
    """Measure, and show the table's rows."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        # An install of the peer needs the network.
        peer = size((app_peer.run,), toy=())
        for measure in (app_large.run, *peer, answers, stall):
            measure(root)
