"""``python -m ticketr.cluster status``: a queue in numbers, and what holds its jobs up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

from ticketr.cleaning import clean
from ticketr.cluster._command_line import Commands, add_queue_options, ask, open_list, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from ticketr import JobStatus
    from ticketr.cluster._list import GateRow, JobList, WorkerRow
    from ticketr.cluster._repeat_state import RepeatState

_MOST_REPEATS: Final = 1000
_MOST_LINES: Final = 20
"""Pauses, rates and repeats that are shown to people."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the command shows.

    Attributes:
        totals: How many jobs have each status.
        gates: The pauses and rates.
        repeats: The repeats that have not ended.
        workers: The workers that live.
    """

    totals: Mapping[JobStatus, int]
    gates: Sequence[GateRow]
    repeats: Sequence[RepeatState]
    workers: Sequence[WorkerRow]


def add_status_command(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "status",
        help="show how many jobs there are, what holds them up, and which workers",
        description="Show how many jobs of a queue are pending, run and have ended, its pauses,"
        " rates and repeats, and which workers live.",
    )
    add_queue_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(run=lambda options: trio.run(_run, options))


async def _run(options: argparse.Namespace) -> int:
    async with open_list(options) as jobs:
        status = await ask(options, lambda: _ask_all(jobs))
    say(as_json(status) if options.json else in_words(status))
    return 0


async def _ask_all(jobs: JobList) -> Status:
    return Status(
        await jobs.totals(),
        await jobs.gates(),
        await jobs.repeats(_MOST_REPEATS),
        await jobs.workers(),
    )


def in_words(status: Status) -> str:
    """Return the status for people."""
    lines = [
        ", ".join(f"{count} {each}" for each, count in status.totals.items()),
        *_first(f"{_words_of(gate)} paused" for gate in status.gates if gate.is_paused),
        *_first(
            f"{_words_of(gate)} starts a job every {gate.interval:g} s, {gate.burst:g} at once"
            for gate in status.gates
            if gate.interval is not None
        ),
        *_first(_line_of_repeat(each) for each in status.repeats),
        *_lines_of_workers(status.workers),
    ]
    return "\n".join(clean(line) for line in lines)


def _first(lines: Iterable[str]) -> list[str]:
    """Return the first of many lines, and how many more there are."""
    every = list(lines)
    more = len(every) - _MOST_LINES
    return [*every[:_MOST_LINES], *([f"... and {more} more"] if more > 0 else [])]


def _words_of(gate: GateRow) -> str:
    # A key may be any text: as Python writes it, it cannot pass for two of them.
    return "queue" if gate.key is None else f"key {gate.key!r}"


def _line_of_repeat(each: RepeatState) -> str:
    if each.is_paused:
        then = "paused"
    elif each.next_at is None:
        then = "runs now"
    else:
        then = f"next {_time_text(each.next_at)}"
    last = "no run has ended"
    if each.last_status is not None and each.last_at is not None:
        last = f"last {each.last_status} {_time_text(each.last_at)}"
    return f"repeat {each.id!r}  {then}  ({last}; {each.runs} runs, {each.missed} missed)"


def _time_text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _lines_of_workers(workers: Sequence[WorkerRow]) -> list[str]:
    if not workers:
        return ["no worker runs"]
    width = max(len(worker.id) for worker in workers)
    return [
        f"worker {worker.id:{width}}  {worker.running} running  "
        f"({worker.words}; lease {worker.lease:.1f} s)"
        for worker in workers
    ]


def as_json(status: Status) -> str:
    """Return the status for programs.

    The key of what concerns the whole queue is null.
    """
    facts = {
        "jobs": {each.value: count for each, count in status.totals.items()},
        "paused": [gate.key for gate in status.gates if gate.is_paused],
        "rates": [
            {"key": gate.key, "interval": gate.interval, "burst": gate.burst}
            for gate in status.gates
            if gate.interval is not None
        ],
        "repeats": [_facts_of_repeat(each) for each in status.repeats],
        "workers": [
            {
                "id": worker.id,
                "where": worker.words,
                "running": worker.running,
                "lease": round(worker.lease, 3),
            }
            for worker in status.workers
        ],
    }
    return json.dumps(facts, indent=2)


def _facts_of_repeat(each: RepeatState) -> dict[str, object]:
    return {
        "id": each.id,
        "name": each.name,
        "next_at": None if each.next_at is None else each.next_at.isoformat(),
        "last_status": each.last_status,
        "last_at": None if each.last_at is None else each.last_at.isoformat(),
        "runs": each.runs,
        "missed": each.missed,
        "running": each.is_running,
        "paused": each.is_paused,
    }
