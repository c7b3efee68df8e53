"""The app on a real terminal: from a key to the frame that answers it, while a pull runs."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress

from terminal import on_terminal, read_for, read_frame

TICKETS = 5000
LATENCY = 0.5
KEYS_A_SECOND = 20
#: Keys enough to fill the time of the pull.
KEYS = 60
MARK = "▸".encode()


def key_to_selection(user: int) -> list[float]:
    """Move the selection, and time each until the row with the mark has been drawn."""
    times = []
    for number in range(KEYS):
        read_for(user, 1 / KEYS_A_SECOND)
        start = time.perf_counter()
        os.write(user, b"jk"[number % 2 : number % 2 + 1])
        while MARK not in read_frame(user):
            pass
        times.append(time.perf_counter() - start)
    return times


def rows() -> list[str]:
    """Measure, and give the table's rows."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "ticketr", "demo", f"--folder={folder}/work"),
            *(f"--tickets={TICKETS}", f"--latency={LATENCY}"),
        ]
        with on_terminal(command) as (user, _):
            seen = b""
            while b"Pulling tickets" not in seen:
                seen = read_frame(user)
            times = key_to_selection(user)
            start = time.perf_counter()
            os.write(user, b"\x1b")
            while b"Cancelled: " not in read_frame(user):
                pass
            cancelled = time.perf_counter() - start
            os.write(user, b"q")
            with suppress(OSError):  # how a terminal says that nobody is on it any more
                read_for(user, 1.0)
    median, worst = statistics.median(times) * 1e3, max(times) * 1e3
    found = f"{median:.1f} ms median, {worst:.1f} ms worst"
    pull = f"app, pull of {TICKETS}"
    return [
        f"{pull}: {found} from key to frame, {KEYS_A_SECOND} keys a second",
        f"{pull}: {cancelled * 1e3:.0f} ms from Esc to the count on the screen",
    ]
