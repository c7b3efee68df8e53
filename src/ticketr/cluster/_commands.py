"""The commands of ``python -m ticketr.cluster``."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import trio

from ticketr._errors import TicketrError
from ticketr.cluster._command_line import Commands, add_queue_options, complain
from ticketr.cluster._drain_command import add_drain_command
from ticketr.cluster._status_command import add_status_command
from ticketr.cluster._web_command import add_web_command
from ticketr.cluster._worker import run_worker

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m ticketr.cluster", description="Jobs on many machines."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add_worker_command(commands)
    add_status_command(commands)
    add_drain_command(commands)
    add_web_command(commands)
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except TicketrError as error:
        complain(error)
        return 1
    return code


def add_worker_command(commands: Commands) -> None:
    """Add the command that runs a worker."""
    parser = commands.add_parser(
        "worker",
        help="run the jobs of a queue",
        description="Run the jobs of a queue until Ctrl+C or SIGTERM. The secret of the queue is"
        " read from TICKETR_CLUSTER_SECRET.",
    )
    add_queue_options(parser)
    parser.add_argument("--workers", type=int, default=4, help="jobs at once (default: 4)")
    parser.add_argument(
        "--lease",
        type=float,
        default=10.0,
        help="seconds of silence after which others take over its jobs (default: 10)",
    )
    parser.add_argument(
        "--grace",
        type=float,
        default=5.0,
        help="seconds that running jobs get at the end (default: 5)",
    )
    parser.add_argument(
        "modules",
        metavar="MODULE",
        nargs="+",
        help="a module whose functions and classes may be jobs",
    )
    parser.set_defaults(run=run_worker_command)


def run_worker_command(options: argparse.Namespace) -> int:
    """Run a worker until a signal; a second one ends it at once."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr
    )
    for engine in ("streaq", "coredis"):
        logging.getLogger(engine).setLevel(logging.CRITICAL)
    logging.getLogger("ticketr.jobs").setLevel(logging.WARNING)
    if os.getcwd() not in sys.path:  # noqa: PTH109 - as Python itself writes it
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    for module in options.modules:
        try:
            importlib.import_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's module
            reason = error if isinstance(error, ImportError) else f"it raises {error!r}"
            complain(f"module {module} cannot be imported: {reason}")
            return 2
    try:
        trio.run(_work, options)
    except ValueError as error:
        complain(error)
        return 2
    return 0


def _announce(worker: str) -> None:
    sys.stdout.write(f"worker {worker} is ready\n")
    sys.stdout.flush()


async def _work(options: argparse.Namespace) -> None:
    stop = trio.Event()
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_stop_by_signal, stop)
        try:
            await run_worker(
                options.url,
                name=options.name,
                workers=options.workers,
                lease=options.lease,
                grace=options.grace,
                modules=options.modules,
                stop=stop,
                allow_plaintext=options.allow_plaintext,
                on_ready=_announce,
            )
        except (TicketrError, ValueError) as error:  # not in a group
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _stop_by_signal(stop: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            if stop.is_set():
                raise KeyboardInterrupt
            stop.set()
