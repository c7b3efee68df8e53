"""Measure the app with 10,000 tickets: its start, its answers to keys, its cost during a pull."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_probe import CHANGING, DRAWING
from terminal import on_terminal, read_for, read_frame, wakeups

if TYPE_CHECKING:
    from collections.abc import Generator

TICKETS = 10_000
KEYS_A_SECOND = 20
SCROLLED = 40
#: What is typed to search and to filter; each letter is a key.
WORDS = "rebuild index"
#: Rounds of a search and a filter.
ROUNDS = 2
IDLE = 10.0
#: Seconds after which Trio's idle worker threads have ended.
THREADS = 12.0
FRAME_END = b"\x1b[?2026l"
#: The goals, in seconds, and as a share of the CPU time of the pull.
FIRST, COMPLETE, MEDIAN, WORST, STRETCH, SHARE = 0.5, 2.0, 0.030, 0.100, 0.010, 0.05


@dataclass
class Probe:
    """An app under measurement: its terminal, its process, and where its report will be."""

    user: int
    pid: int
    path: Path

    def report(self) -> dict[str, Any]:
        """Leave the app, and return its report."""
        os.write(self.user, b"q")
        while not self.path.exists() or not self.path.read_text(encoding="utf-8"):
            with suppress(OSError):  # Linux reports a closed terminal so
                read_for(self.user, 0.1)
        found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return found


@contextmanager
def probed(report: Path, *arguments: str) -> Generator[Probe]:
    script = str(Path(__file__).with_name("app_probe.py"))
    with on_terminal([sys.executable, script, str(report), *arguments]) as (user, pid):
        yield Probe(user, pid, report)


def answer(user: int, key: str, marker: str) -> float:
    """Press a key; return the seconds until a frame with a text is complete."""
    read_for(user, 1 / KEYS_A_SECOND)
    begun = time.perf_counter()
    os.write(user, key.encode())
    data = b""
    while marker.encode() not in data or not data.endswith(FRAME_END):
        data += read_frame(user)
    return time.perf_counter() - begun


def scrolled(user: int) -> list[float]:
    return [answer(user, "jjjk"[at % 4], "▌") for at in range(SCROLLED)]


def typed(user: int, opening: str, prompt: str) -> list[float]:
    """Type words into a line that searches or filters, and leave it."""
    times = []
    for _ in range(ROUNDS):
        answer(user, opening, prompt)
        times += [answer(user, key, WORDS[: at + 1]) for at, key in enumerate(WORDS)]
        answer(user, "\x1b", "▌" if opening == "/" else "2 Tickets")
    return times


def key_rows(user: int, when: str) -> list[str]:
    """Measure the keys, and return their rows."""
    rows = []
    for what, times in (
        ("scrolling", scrolled(user)),
        ("searching", typed(user, "/", "/")),
        ("filtering", typed(user, "f", "filter:")),
    ):
        median, worst = statistics.median(times), max(times)
        found = f"{median * 1e3:.1f} ms median, {worst * 1e3:.1f} ms worst"
        goal = f"goals {MEDIAN * 1e3:.0f} and {WORST * 1e3:.0f}"
        verdict = _verdict(is_met=median <= MEDIAN and worst <= WORST)
        rows.append(f"app, {what} {when}: {found} from key to frame ({goal}){verdict}")
    return rows


def wait_for(user: int, text: str, seconds: float = 120.0) -> None:
    data, end = b"", time.perf_counter() + seconds
    while text.encode() not in data:
        if time.perf_counter() > end:
            raise TimeoutError(f"no {text!r} in {data[-2000:]!r}")
        data += read_for(user, 0.05)


def during_pull(root: Path) -> list[str]:
    """Pull into an empty folder; measure the keys, the drawing and the stretches."""
    with probed(root / "pull.json", "pull", str(root / "tickets"), str(TICKETS)) as probe:
        wait_for(probe.user, "Pulling tickets")
        rows = key_rows(probe.user, f"during a pull of {TICKETS}")
        wait_for(probe.user, "Pull complete")
        read_for(probe.user, 2.0)  # the files are read again
        report = probe.report()
    drawing = report["tasks"].get(DRAWING, 0.0) / report["cpu"]
    changing = report["tasks"].get(CHANGING, 0.0) / report["cpu"]
    what = f"app, pull of {TICKETS}"
    share = f"drawing {drawing:.1%} of the CPU time (goal {SHARE:.0%}), new states {changing:.1%}"
    share = f"{what}: {share}{_verdict(is_met=drawing <= SHARE)}"
    return [*rows, share, stretch_row(what, report)]


def opened(root: Path) -> list[str]:
    """Open the tickets that were pulled; measure the start, the keys, and a time of rest."""
    with probed(root / "open.json", "open", str(root / "tickets")) as probe:
        wait_for(probe.user, f"/{TICKETS}")
        read_for(probe.user, 8.0)
        rows = key_rows(probe.user, f"in {TICKETS} tickets")
        read_for(probe.user, THREADS)
        before = wakeups(probe.pid)
        written = len(read_for(probe.user, IDLE))
        woken = wakeups(probe.pid) - before
        report = probe.report()
    first, complete = report["first_frame"], report["complete"]
    begun = f"app, first frame: {first:.2f} s after the imports (goal {FIRST})"
    listed = f"app, list of {TICKETS} complete: after {complete:.2f} s (goal {COMPLETE})"
    idle = f"app, idle for {IDLE:g} s: {written} bytes written, {woken} wake-ups (goal none)"
    return [
        begun + _verdict(is_met=first <= FIRST),
        listed + _verdict(is_met=complete <= COMPLETE),
        *rows,
        stretch_row(f"app, {TICKETS} tickets", report),
        idle + _verdict(is_met=not written and not woken),
    ]


def stretch_row(what: str, report: dict[str, Any]) -> str:
    took, place = max(report["longest"].values())
    verdict = "" if took <= STRETCH else f": MISSED, before {place}"
    return f"{what}: longest stretch {took * 1e3:.1f} ms of CPU (goal {STRETCH * 1e3:.0f}){verdict}"


def _verdict(*, is_met: bool) -> str:
    return "" if is_met else ": MISSED"


def rows(root: Path) -> list[str]:
    """Measure, and return the table's rows."""
    return [*during_pull(root), *opened(root)]
