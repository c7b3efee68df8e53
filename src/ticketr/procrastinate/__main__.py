"""``python -m ticketr.procrastinate worker module:app``."""

from __future__ import annotations

import argparse
import logging
import pkgutil
import re
import sys
from functools import partial
from math import inf
from typing import Final

import trio
from procrastinate import App

from ticketr.procrastinate import WorkerFailed, run_worker

NUMBER_OPTIONS_DEFAULTS_AND_HELP: Final = (
    ("--concurrency", 4, "jobs at once (default: 4)"),
    ("--grace", 10.0, "seconds that running jobs have at the end (default: 10)"),
    ("--heartbeat-limit", 30.0, "seconds of silence of a dead worker (default: 30)"),
    ("--give-up-after", inf, "seconds without PostgreSQL until exit code 1 (default: never)"),
)
PASSWORD_PATTERN: Final = re.compile(r"(//[^:/@\s]*:|password=)[^@\s]+")


def main(arguments: list[str] | None = None) -> int:
    """Run the worker; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ticketr.procrastinate")
    parser.add_argument("command", choices=["worker"], help="run jobs until Ctrl+C or SIGTERM")
    parser.add_argument("app", metavar="MODULE:APP", help="the app, such as tasks:app")
    parser.add_argument("--queues", nargs="+", metavar="QUEUE", help="take jobs of these alone")
    for option, default, text in NUMBER_OPTIONS_DEFAULTS_AND_HELP:
        parser.add_argument(option, type=type(default), default=default, help=text)
    options = vars(parser.parse_args(arguments))
    del options["command"]
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("psycopg.pool").addFilter(OncePerMinuteMaskingFilter())
    try:
        app = load_app(options.pop("app"))
        trio.run(partial(run_worker, app, **options))
    except (ImportError, AttributeError, TypeError, ValueError, WorkerFailed) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


class OncePerMinuteMaskingFilter(logging.Filter):
    """Thins out the lines of a pool that cannot connect, which alone name the cause.

    It hides passwords: PostgreSQL's client repeats a connection string that it cannot read.
    """

    last_passed_wall_time = -inf

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a minute has passed since the line before."""
        record.msg, record.args = PASSWORD_PATTERN.sub(r"\1***", record.getMessage()), ()
        is_due = record.created - self.last_passed_wall_time >= 60
        self.last_passed_wall_time = record.created if is_due else self.last_passed_wall_time
        return is_due


def load_app(place: str) -> App:
    """Return the app that ``module:name`` names.

    Raises:
        ValueError, ImportError, AttributeError, TypeError: There is none.
    """
    app = pkgutil.resolve_name(place)
    if not isinstance(app, App):
        raise TypeError(f"{place} is a {type(app).__name__}: name an app of Procrastinate")
    return app


if __name__ == "__main__":
    sys.exit(main())
