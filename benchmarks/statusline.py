"""What a drawn status line costs, against the progress bars of tqdm, enlighten and rich.

Each contender runs in a process of its own on a terminal of its own, which is read all the time;
rounds are interleaved, and medians count. What is measured is the CPU time of all threads. From
each, the same loop without a bar is taken away: for the peers a bare loop, for us a job that
reports to a queue, with nobody watching. Where the loop sleeps between updates, an idle core makes
the time of the loop itself uncertain, so that each process goes through it with the bar and without
it by turns.
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

from ticketr import JobContext, open_job_queue
from ticketr.statusline import StatusLine

if TYPE_CHECKING:
    from collections.abc import Callable

    #: What a peer's bar is to us: how to update it, and how to end it.
    Bar = tuple[Callable[[], object], Callable[[], object]]

ROUNDS = 3
COLUMNS, ROWS = 100, 24
PEERS = ("tqdm", "enlighten", "rich")
#: By scenario: how many updates there are, and how many seconds after each.
SCENARIOS = {"flood": (100_000, 0.0), "paced": (50, 0.02), "drawn": (2000, 0.0)}
#: How often a paced loop is gone through with the bar and without it.
TURNS = 7
#: In a flood of reports, a Trio task lets others run as often as this.
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
    """Give the CPU seconds of a loop with a peer's bar."""
    count, _ = SCENARIOS[scenario]
    make = {"bare": bare, "tqdm": tqdm, "enlighten": enlighten, "rich": rich}[name]
    update, close = make(count, each=scenario == "drawn")
    taken = loop(update, scenario)
    close()
    return taken


def loop(update: Callable[[], object], scenario: str) -> float:
    """Give the CPU seconds of a loop."""
    count, pause = SCENARIOS[scenario]
    begun = time.process_time()
    for _ in range(count):
        update()
        if pause:
            time.sleep(pause)  # noqa: TID251 - the peers' own world
    return time.process_time() - begun


def peer_by_turns(name: str, scenario: str) -> float:
    """Give the CPU seconds beyond those of the loop without the bar."""
    return statistics.median(peer(name, scenario) - loop(nothing, scenario) for _ in range(TURNS))


async def ours_by_turns(scenario: str) -> float:
    """Give the CPU seconds of a job with a status line, beyond those without one."""
    beyond = []
    for _ in range(TURNS):
        async with open_job_queue() as queue:
            async with StatusLine(queue):
                seen = await queue.run(reporting, scenario)
            beyond.append(seen - await queue.run(reporting, scenario))
    return statistics.median(beyond)


async def reporting(context: JobContext, scenario: str) -> float:
    """Report as often as the scenario has it; gives the CPU seconds."""
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
    """Give the CPU seconds of a job that reports, with a status line unless it is unwatched."""
    count, _ = SCENARIOS[scenario]

    async def job_drawn(context: JobContext) -> float:
        """Do after each report what is otherwise done 5 times a second."""
        await trio.sleep(0.3)  # until the line knows the job
        begun = time.process_time()
        for done in range(count):
            context.report(current=done, total=count, message="Pulling tickets")
            if output is not None:
                line._due = -math.inf  # noqa: SLF001
                line._update_model(queue.snapshot(context.id))  # noqa: SLF001
                line._draw_if_due(output)  # noqa: SLF001
        assert line._drawn is not None  # noqa: SLF001
        assert f"({count - 1}/" in line._drawn  # noqa: SLF001
        return time.process_time() - begun

    async with open_job_queue() as queue:
        if name == "unwatched":
            return await queue.run(reporting, scenario)
        line = StatusLine(queue)
        output = line._output  # noqa: SLF001
        assert output is not None, "this is no terminal"
        async with line:
            if scenario == "drawn":
                return await queue.run(job_drawn)
            return await queue.run(reporting, scenario)


def child(name: str, scenario: str, descriptor: int) -> None:
    """Measure one contender once, and tell the result by a descriptor."""
    if scenario == "paced":
        is_ours = name == "ours"
        seconds = trio.run(ours_by_turns, scenario) if is_ours else peer_by_turns(name, scenario)
    elif name in {"ours", "unwatched"}:
        seconds = trio.run(ours, name, scenario)
    else:
        seconds = peer(name, scenario)
    os.write(descriptor, str(seconds).encode())
    os._exit(0)  # what a peer still draws at its end is not our matter


def run(name: str, scenario: str) -> float:
    """Run a contender on a terminal of its own; gives its CPU seconds."""
    user, terminal = os.openpty()
    ioctl(user, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    told, tell = os.pipe()
    with subprocess.Popen(
        [sys.executable, __file__, name, scenario, str(tell)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        pass_fds=[tell],
        # blessed, below enlighten, asks the terminal questions at its start; none are answered here.
        env={**os.environ, "TERM": "xterm-256color", "BLESSED_QUERY_TIMEOUT_SECONDS": "0"},
    ) as process:
        os.close(terminal)
        os.close(tell)
        reader = threading.Thread(target=drain, args=(user,))  # noqa: TID251 - no Trio here
        reader.start()
        result = os.read(told, 100)
        process.wait()
    reader.join()
    os.close(user)
    os.close(told)
    return float(result)


def drain(user: int) -> None:
    """Read a terminal until nobody writes to it, and say where the cursor is, as enlighten asks."""
    rest = b""
    try:
        while data := os.read(user, 1 << 16):
            asked = (rest + data).split(b"\x1b[6n")
            rest = asked[-1][-3:]  # a question may come in two parts
            for _ in asked[1:]:
                os.write(user, b"\x1b[24;1R")
    except OSError:  # how Linux says that it ended
        return


def micro(scenario: str) -> dict[str, float]:
    """Give each contender's microseconds an update, beyond the loop without a bar.

    The difference is taken in each round, since the machine is not the same in all of them.
    """
    beyond = {**dict.fromkeys(PEERS, "bare"), "ours": "unwatched", "unwatched": "bare"}
    if scenario == "paced":  # each takes the difference by itself
        beyond = dict.fromkeys((*PEERS, "ours"), "")
    found: dict[str, list[float]] = {name: [] for name in beyond}
    for _ in range(ROUNDS):
        names = dict.fromkeys((*beyond, *filter(None, beyond.values())))
        taken = {name: run(name, scenario) for name in names}
        for name, base in beyond.items():
            found[name].append(taken[name] - taken.get(base, 0.0))
    count = SCENARIOS[scenario][0]
    return {name: statistics.median(each) / count * 1e6 for name, each in found.items()}


def rows() -> list[str]:
    """Measure, and give the table's rows."""
    words = {
        "flood": "100,000 updates without a pause",
        "paced": "an update every 20 ms",
        "drawn": "every update drawn",
    }
    table = []
    for scenario, what in words.items():
        own = micro(scenario)
        table += [
            f"status line, {what}: {own['ours'] / own[name]:.2f} of {name}"
            f" ({own['ours']:.2f} against {own[name]:.2f} us CPU an update)"
            for name in PEERS
        ]
        if scenario == "flood":
            table.append(f"status line, {what}: a report itself costs {own['unwatched']:.2f} us")
    return table


if __name__ == "__main__":
    child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
