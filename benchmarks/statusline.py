"""Compare the cost of the status line with the progress bars of tqdm, enlighten and rich.

Each contender runs in its own process on its own terminal, which is read all the time. Rounds are
interleaved, and medians count. The figures are CPU time of all threads, minus the same loop without
a bar: for the peers a bare loop, for ticketr a job that reports to a queue without a reader. If the
loop sleeps between updates, an idle core makes its time uncertain, so each process runs the loop
with the bar and without it by turns.
"""

from __future__ import annotations

import math
import os
import statistics
import struct
import subprocess
import sys
import threading
import time
from fcntl import ioctl
from termios import TIOCSWINSZ
from typing import TYPE_CHECKING, Any

import trio
from sizes import size
from table import show

from ticketr import JobContext, open_job_queue
from ticketr.statusline import StatusLine

if TYPE_CHECKING:
    from collections.abc import Callable

    #: A peer's bar: how to update it, and how to end it.
    Bar = tuple[Callable[[], object], Callable[[], object]]

ROUNDS = size(3, toy=1)
COLUMNS, ROWS = 100, 24
PEERS = ("tqdm", "enlighten", "rich")
#: For each scenario, the number of updates and the seconds after each.
SCENARIOS = size(
    {"flood": (100_000, 0.0), "paced": (50, 0.02), "drawn": (2000, 0.0)},
    toy={"flood": (100, 0.0), "paced": (2, 0.02), "drawn": (20, 0.0)},
)
#: How often a paced loop runs with the bar and without it.
TURNS = size(7, toy=1)
#: In a flood of reports, a Trio task checkpoints once in so many reports.
CHECKPOINT = 1000


def nothing() -> None:
    pass


def bare(total: int, *, each: bool) -> Bar:
    return nothing, nothing


def tqdm(total: int, *, each: bool) -> Bar:
    from tqdm import tqdm as library  # noqa: PLC0415 - each peer loads itself alone

    options: dict[str, Any] = {"mininterval": 0, "miniters": 1} if each else {}
    bar = library(total=total, desc="Pulling tickets", **options)
    return bar.update, bar.close


def enlighten(total: int, *, each: bool) -> Bar:
    import enlighten as library  # noqa: PLC0415

    options: dict[str, Any] = {"min_delta": 0} if each else {}
    manager = library.get_manager()
    return manager.counter(total=total, desc="Pulling tickets", **options).update, manager.stop


def rich(total: int, *, each: bool) -> Bar:
    from rich.progress import Progress  # noqa: PLC0415

    progress = Progress(auto_refresh=not each)
    progress.start()
    task = progress.add_task("Pulling tickets", total=total)

    def update() -> None:
        progress.advance(task)
        if each:
            progress.refresh()

    return update, progress.stop


def peer(name: str, scenario: str) -> float:
    """Return the CPU seconds of a loop with a peer's bar."""
    count, _ = SCENARIOS[scenario]
    make = {"bare": bare, "tqdm": tqdm, "enlighten": enlighten, "rich": rich}[name]
    update, close = make(count, each=scenario == "drawn")
    taken = loop(update, scenario)
    close()
    return taken


def loop(update: Callable[[], object], scenario: str) -> float:
    """Return the CPU seconds of a loop."""
    count, pause = SCENARIOS[scenario]
    begun = time.process_time()
    for _ in range(count):
        update()
        if pause:
            time.sleep(pause)  # noqa: TID251 - the peers' own world
    return time.process_time() - begun


def peer_by_turns(name: str, scenario: str) -> float:
    """Return the CPU seconds of a peer's bar, beyond those of the loop without it."""
    return statistics.median(peer(name, scenario) - loop(nothing, scenario) for _ in range(TURNS))


async def ours_by_turns(scenario: str) -> float:
    """Return the CPU seconds of a job with a status line, beyond those without one."""
    beyond = []
    for _ in range(TURNS):
        async with open_job_queue() as queue:
            async with StatusLine(queue):
                seen = await queue.run(reporting, scenario)
            beyond.append(seen - await queue.run(reporting, scenario))
    return statistics.median(beyond)


async def reporting(context: JobContext, scenario: str) -> float:
    """Report as often as the scenario says; return the CPU seconds."""
    count, pause = SCENARIOS[scenario]
    begun = time.process_time()
    for done in range(count):
        context.report(current=done, total=count, message="Pulling tickets")
        if pause:
            await trio.sleep(pause)
        elif done % CHECKPOINT == 0:
            await trio.lowlevel.checkpoint()
    return time.process_time() - begun


async def ours(name: str, scenario: str) -> float:
    """Return the CPU seconds of a job that reports, with a status line unless it is unwatched."""
    count, _ = SCENARIOS[scenario]

    async def job_drawn(context: JobContext) -> float:
        """Draw after each report, which otherwise happens 5 times a second."""
        await trio.sleep(0.3)  # until the line has the job
        begun = time.process_time()
        for done in range(count):
            context.report(current=done, total=count, message="Pulling tickets")
            if output is not None:
                line._due = -math.inf  # noqa: SLF001
                line._update_model(queue.snapshot(context.id))  # noqa: SLF001
                count_jobs()
                while not line._draw_if_due_unless_refused(output):  # noqa: SLF001
                    await output.wait_writable()
                    line._due = -math.inf  # noqa: SLF001 - its own task may have drawn meanwhile
        assert line._drawn is not None  # noqa: SLF001
        assert f"({count - 1}/" in line._drawn  # noqa: SLF001
        return time.process_time() - begun

    async with open_job_queue() as queue:
        if name == "unwatched":
            return await queue.run(reporting, scenario)
        line = StatusLine(queue)
        output = line._output  # noqa: SLF001
        count_jobs = getattr(line, "_count", nothing)  # older trees count none
        assert output is not None, "this is no terminal"
        async with line:
            if scenario == "drawn":
                return await queue.run(job_drawn)
            return await queue.run(reporting, scenario)


def child(name: str, scenario: str, descriptor: int) -> None:
    """Measure one contender once, and write the result to a file descriptor."""
    if scenario == "paced":
        is_ours = name == "ours"
        seconds = trio.run(ours_by_turns, scenario) if is_ours else peer_by_turns(name, scenario)
    elif name in {"ours", "unwatched"}:
        seconds = trio.run(ours, name, scenario)
    else:
        seconds = peer(name, scenario)
    os.write(descriptor, str(seconds).encode())
    os._exit(0)  # what a peer draws at its end does not count


def seconds_of(name: str, scenario: str) -> float:
    """Run a contender on its own terminal; return its CPU seconds."""
    (seconds,) = on_terminal([__file__, name, scenario], {})
    return seconds


def on_terminal(arguments: list[str], environ: dict[str, str]) -> list[float]:
    """Run Python on its own terminal; return the numbers it writes to its last argument."""
    user, terminal = os.openpty()
    ioctl(user, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    told, tell = os.pipe()
    with subprocess.Popen(
        [sys.executable, *arguments, str(tell)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        pass_fds=[tell],
        # blessed, which enlighten uses, queries the terminal at its start; no query is answered.
        env={
            **os.environ,
            **environ,
            "TERM": "xterm-256color",
            "BLESSED_QUERY_TIMEOUT_SECONDS": "0",
        },
    ) as process:
        os.close(terminal)
        os.close(tell)
        seen = bytearray()
        reader = threading.Thread(target=drain, args=(user, seen))  # noqa: TID251 - no Trio here
        reader.start()
        result = os.read(told, 1000)
        process.wait()
    reader.join()
    os.close(user)
    os.close(told)
    if not result:
        sys.exit(f"{arguments} failed: ...{seen[-2000:].decode(errors='replace')}")
    return [float(number) for number in result.split()]


def drain(user: int, seen: bytearray) -> None:
    """Read a terminal until it is closed, and answer enlighten's query for the cursor position."""
    rest = b""
    try:
        while data := os.read(user, 1 << 16):
            seen[:] = seen[-2000:] + data
            asked = (rest + data).split(b"\x1b[6n")
            rest = asked[-1][-3:]  # a query may arrive in two parts
            for _ in asked[1:]:
                os.write(user, b"\x1b[24;1R")
    except OSError:  # Linux reports a closed terminal so
        return


def micro(scenario: str) -> dict[str, float]:
    """Return each contender's microseconds per update, beyond the loop without a bar.

    The difference is taken in each round, since the speed of the machine varies between rounds.
    """
    beyond = {**dict.fromkeys(PEERS, "bare"), "ours": "unwatched", "unwatched": "bare"}
    if scenario == "paced":  # each process returns the difference
        beyond = dict.fromkeys((*PEERS, "ours"), "")
    found: dict[str, list[float]] = {name: [] for name in beyond}
    for _ in range(ROUNDS):
        names = dict.fromkeys((*beyond, *filter(None, beyond.values())))
        taken = {name: seconds_of(name, scenario) for name in names}
        for name, base in beyond.items():
            found[name].append(taken[name] - taken.get(base, 0.0))
    count = SCENARIOS[scenario][0]
    return {name: statistics.median(each) / count * 1e6 for name, each in found.items()}


def run() -> None:
    """Measure, and show the table's rows."""
    words = {
        "flood": f"{SCENARIOS['flood'][0]:,} updates without a pause",
        "paced": "an update every 20 ms",
        "drawn": "every update drawn",
    }
    for scenario, what in words.items():
        own = micro(scenario)
        show(
            *(
                f"status line, {what}: {own['ours'] / own[name]:.2f} of {name}"
                f" ({own['ours']:.2f} against {own[name]:.2f} us CPU an update)"
                for name in PEERS
            )
        )
        if scenario == "flood":
            show(f"status line, {what}: a report itself costs {own['unwatched']:.2f} us")


if __name__ == "__main__":
    child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
