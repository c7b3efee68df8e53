"""``python -m ticketr.cluster drain``: wait until no job is pending or running."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Final

import trio

from ticketr import JobStatus
from ticketr.cluster._command_line import (
    Commands,
    add_queue_options,
    ask,
    complain,
    open_list,
    say,
)

if TYPE_CHECKING:
    from ticketr.cluster._list import JobList

_PAUSE: Final = 0.5


def add_drain_command(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "drain",
        help="wait until no job is pending or running",
        description="Wait until no job of a queue is pending or running, for example before its"
        " secret is changed. The exit code is 0 then, and 1 if the time is over before.",
    )
    add_queue_options(parser)
    parser.add_argument(
        "--timeout", type=_seconds, default=math.inf, help="seconds to wait (default: no limit)"
    )
    parser.set_defaults(run=lambda options: trio.run(_run, options))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds >= 0:
        raise argparse.ArgumentTypeError("it is no number of seconds")
    return seconds


async def _run(options: argparse.Namespace) -> int:
    async with open_list(options) as jobs:
        with trio.move_on_after(options.timeout):
            await _wait_until_empty(options, jobs)
            say("no job is pending or running")
            return 0
        complain(f"jobs are left after {options.timeout:g} s")
        return 1


async def _wait_until_empty(options: argparse.Namespace, jobs: JobList) -> None:
    said = None
    while True:
        totals = await ask(options, jobs.totals)
        left = totals[JobStatus.PENDING], totals[JobStatus.RUNNING]
        if not any(left):
            return
        if left != said:
            said = left
            say(f"{left[0]} pending, {left[1]} running")
        await trio.sleep(_PAUSE)
