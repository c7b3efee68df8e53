"""``python -m ticketr.procrastinate worker module:app``."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final

import trio
from procrastinate import App

from ticketr.procrastinate import WorkerFailed, run_worker

if TYPE_CHECKING:
    from collections.abc import Sequence


NUMBERS: Final = (
    ("--concurrency", 4, "jobs at once (default: 4)"),
    ("--grace", 10.0, "seconds that running jobs have at the end (default: 10)"),
    ("--heartbeat-limit", 30.0, "seconds of silence of a dead worker (default: 30)"),
    ("--give-up-after", inf, "seconds without PostgreSQL until exit code 1 (default: never)"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the worker; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ticketr.procrastinate")
    worker = parser.add_subparsers(required=True).add_parser(
        "worker", help="run the jobs of an app until Ctrl+C or SIGTERM"
    )
    worker.add_argument("app", metavar="MODULE:APP", help="the app, such as tasks:app")
    worker.add_argument("--queues", nargs="+", metavar="QUEUE", help="take jobs of these alone")
    for option, default, text in NUMBERS:
        worker.add_argument(option, type=type(default), default=default, help=text)
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # we say it once a minute
    try:
        given = vars(options)
        app = load_app(given.pop("app"))
        trio.run(partial(run_worker, app, **given))
    except (ImportError, AttributeError, TypeError, ValueError, WorkerFailed) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def load_app(place: str) -> App:
    """Return the app that ``module:name`` names.

    Raises:
        ValueError, ImportError, AttributeError, TypeError: There is none.
    """
    module, colon, name = place.partition(":")
    if not (module and colon and name):
        raise ValueError(f"{place!r} names no app: write it as module:app")
    sys.path.insert(0, "")
    app = getattr(importlib.import_module(module), name)
    if not isinstance(app, App):
        raise TypeError(f"{place} is no app of Procrastinate, but a {type(app).__name__}")
    return app


if __name__ == "__main__":
    sys.exit(main())
