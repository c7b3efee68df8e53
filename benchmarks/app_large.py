"""Measure the app with 10,000 tickets: its start, its answers to keys, its cost during a pull."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import statistics
import sys
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_probe import CHANGING, DRAWING
from sizes import size
from table import show
from terminal import on_terminal, read_for, read_frame, wakeups

from ticketr.app.config import STATE_FOLDER
from ticketr.app.tui.services.files import LIST_CACHE_FILE as STORED_LIST

if TYPE_CHECKING:
    from collections.abc import Generator

TICKETS = size(10_000, toy=200)
KEYS_A_SECOND = 20
SCROLLED = size(40, toy=2)
#: What is typed to search and to filter; each letter is a key.
WORDS = "rebuild index"
#: Rounds of a search and a filter.
ROUNDS = size(2, toy=1)
IDLE = size(10.0, toy=0.1)
#: Seconds after which a complete list is stored.
SETTLED = size(4.0, toy=1.0)
#: Seconds after which Trio's idle worker threads have ended.
THREADS = size(12.0, toy=0.0)
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
    command = [sys.executable, script, str(report), *arguments]
    with on_terminal(command, environment=quiet(report.parent / "config")) as (user, pid):
        yield Probe(user, pid, report)


def quiet(folder: Path) -> dict[str, str]:
    """Return the environment in which the app pulls only when it is asked to."""
    folder.mkdir(mode=0o700, exist_ok=True)
    settings = folder / "config.toml"
    settings.touch(mode=0o600)
    settings.write_text("[app]\nrefresh = 0\n", encoding="utf-8")
    return {"TICKETR_CONFIG_DIR": str(folder)}


@dataclass(frozen=True)
class Answer:
    """What the answer to a key took, in seconds.

    Attributes:
        wait: From the key to the end of its frame.
        cpu: The CPU time of Trio's thread meanwhile, on whatever it had to do.
    """

    wait: float
    cpu: float


def thread_seconds(pid: int) -> float:
    """Return the CPU time of a process's first thread, which is Trio's."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except FileNotFoundError:  # not on Linux
        return math.nan


def answer(probe: Probe, key: str, marker: str) -> Answer:
    """Press a key, and wait until a frame with a text is complete."""
    read_for(probe.user, 1 / KEYS_A_SECOND)
    begun, used = time.perf_counter(), thread_seconds(probe.pid)
    os.write(probe.user, key.encode())
    data = b""
    while marker.encode() not in data or not data.endswith(FRAME_END):
        data += read_frame(probe.user)
    return Answer(time.perf_counter() - begun, thread_seconds(probe.pid) - used)


def scrolled(probe: Probe) -> list[Answer]:
    return [answer(probe, "jjjk"[at % 4], "▌") for at in range(SCROLLED)]


def typed(probe: Probe, opening: str, prompt: str) -> list[Answer]:
    """Type words into a line that searches or filters, and leave it."""
    found = []
    for _ in range(ROUNDS):
        answer(probe, opening, prompt)
        found += [answer(probe, key, WORDS[: at + 1]) for at, key in enumerate(WORDS)]
        answer(probe, "\x1b", "▌" if opening == "/" else "2 Tickets")
    return found


def show_keys(probe: Probe, when: str) -> None:
    """Measure the keys, and show their rows."""
    for what, found in (
        ("scrolling", scrolled(probe)),
        ("searching", typed(probe, "/", "/")),
        ("filtering", typed(probe, "f", "filter:")),
    ):
        median = statistics.median(each.wait for each in found)
        worst = max(each.wait for each in found)
        cpu = statistics.median(each.cpu for each in found)
        took = f"{median * 1e3:.1f} ms median, {worst * 1e3:.1f} ms worst"
        goal = f"goals {MEDIAN * 1e3:.0f} and {WORST * 1e3:.0f}; {cpu * 1e3:.1f} ms of CPU"
        verdict = _verdict(is_met=median <= MEDIAN and worst <= WORST)
        show(f"app, {what} {when}: {took} from key to frame ({goal}){verdict}")


def wait_for(user: int, text: str, seconds: float = 120.0) -> None:
    data, end = b"", time.perf_counter() + seconds
    while text.encode() not in data:
        if time.perf_counter() > end:
            raise TimeoutError(f"no {text!r} in {data[-2000:]!r}")
        data += read_for(user, 0.05)


def pulled(folder: Path) -> int:
    """Count the tickets on disk."""
    with closing(sqlite3.connect(folder / STATE_FOLDER / "state.db")) as state:
        return int(state.execute("SELECT count(*) FROM issue").fetchone()[0])


def during_pull(root: Path) -> None:
    """Pull into an empty folder; measure the keys, the drawing and the stretches."""
    with probed(root / "pull.json", "pull", str(root / "tickets"), str(TICKETS)) as probe:
        wait_for(probe.user, "Pulling tickets")
        show_keys(probe, f"during a pull of {TICKETS}")
        while pulled(root / "tickets") < TICKETS:
            read_for(probe.user, 0.05)
        read_for(probe.user, SETTLED / 2)  # the files are read again
        report = probe.report()
    drawing = report["tasks"].get(DRAWING, 0.0) / report["cpu"]
    changing = report["tasks"].get(CHANGING, 0.0) / report["cpu"]
    what = f"app, pull of {TICKETS}"
    share = f"drawing {drawing:.1%} of the CPU time (goal {SHARE:.0%}), new states {changing:.1%}"
    share = f"{what}: {share}{_verdict(is_met=drawing <= SHARE)}"
    show(share, stretch_row(what, report))


def opened(root: Path) -> None:
    """Open the tickets that were pulled; measure the start, the keys, and a time of rest."""
    (root / "tickets" / STATE_FOLDER / STORED_LIST).unlink(missing_ok=True)
    with probed(root / "first.json", "open", str(root / "tickets")) as probe:
        wait_for(probe.user, f"/{TICKETS}")
        read_for(probe.user, SETTLED)  # the list is stored
        show(*start_rows("for the first time", probe.report()))
    with probed(root / "open.json", "open", str(root / "tickets")) as probe:
        wait_for(probe.user, f"/{TICKETS}")
        read_for(probe.user, SETTLED)
        show_keys(probe, f"in {TICKETS} tickets")
        read_for(probe.user, THREADS)
        before = wakeups(probe.pid)
        written = len(read_for(probe.user, IDLE))
        woken = wakeups(probe.pid) - before
        report = probe.report()
    idle = f"app, idle for {IDLE:g} s: {written} bytes written, {woken} wake-ups (goal none)"
    show(
        *start_rows("again", report),
        stretch_row(f"app, {TICKETS} tickets", report),
        idle + _verdict(is_met=not written and not woken),
    )


def start_rows(when: str, report: dict[str, Any]) -> list[str]:
    first, complete, cpu = report["first_frame"], report["complete"], report["complete_cpu"]
    begun = f"app, opened {when}: first frame {first:.2f} s after the imports (goal {FIRST})"
    listed = f"app, opened {when}: list of {TICKETS} complete after {complete:.2f} s"
    listed += f" (goal {COMPLETE}; {cpu:.2f} s of CPU)"
    return [
        begun + _verdict(is_met=first <= FIRST),
        listed + _verdict(is_met=complete <= COMPLETE),
    ]


def stretch_row(what: str, report: dict[str, Any]) -> str:
    took, place = max(report["longest"].values())
    verdict = "" if took <= STRETCH else f": MISSED, before {place}"
    return f"{what}: longest stretch {took * 1e3:.1f} ms of CPU (goal {STRETCH * 1e3:.0f}){verdict}"


def _verdict(*, is_met: bool) -> str:
    return "" if is_met else ": MISSED"


def run(root: Path) -> None:
    """Measure, and show the table's rows."""
    load, cores = os.getloadavg()[0], os.cpu_count()
    others = f"app: {load:.1f} processes wanted a core before the benchmark, of {cores}"
    show(others)
    during_pull(root)
    opened(root)
