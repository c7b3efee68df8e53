"""``python -m ticketr.cluster status``: a queue in numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import trio

from ticketr.cleaning import clean
from ticketr.cluster._command_line import Commands, add_queue_options, ask, open_list, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from ticketr import JobStatus
    from ticketr.cluster._list import WorkerRow


def add_status_command(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "status",
        help="show how many jobs there are, and which workers",
        description="Show how many jobs of a queue are pending, run and have ended, and which"
        " workers live.",
    )
    add_queue_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(run=lambda options: trio.run(_run, options))


async def _run(options: argparse.Namespace) -> int:
    async with open_list(options) as jobs:
        totals, workers = await ask(options, jobs.totals), await ask(options, jobs.workers)
    say(as_json(totals, workers) if options.json else in_words(totals, workers))
    return 0


def in_words(totals: Mapping[JobStatus, int], workers: Sequence[WorkerRow]) -> str:
    """Return the numbers for people."""
    lines = [", ".join(f"{count} {status}" for status, count in totals.items())]
    if not workers:
        return f"{lines[0]}\nno worker runs"
    width = max(len(worker.id) for worker in workers)
    lines += [
        clean(
            f"worker {worker.id:{width}}  {worker.running} running  "
            f"({worker.words}; lease {worker.lease:.1f} s)"
        )
        for worker in workers
    ]
    return "\n".join(lines)


def as_json(totals: Mapping[JobStatus, int], workers: Sequence[WorkerRow]) -> str:
    """Return the numbers for programs."""
    rows = [
        {
            "id": worker.id,
            "where": worker.words,
            "running": worker.running,
            "lease": round(worker.lease, 3),
        }
        for worker in workers
    ]
    jobs = {status.value: count for status, count in totals.items()}
    return json.dumps({"jobs": jobs, "workers": rows}, indent=2)
