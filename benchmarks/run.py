"""Run the benchmarks: all of them, or those named on the command line."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

import sizes

PARTS = (
    "pull",
    "sync",
    "stretches",
    "terminal",
    "app",
    "statusline",
    "start",
    "cost",
    "queue_speed",
    "queue_events",
    "queue_scale",
    "queue_memory",
    "engines",
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}")
    parser.add_argument(
        "--against", metavar="TREE", help="a folder or a commit to compare the CPU time with"
    )
    parser.add_argument(
        "--toy", action="store_true", help="run with so little that it shows only that all run"
    )
    chosen = parser.parse_args()
    root = Path(__file__).parent.parent  # of the servers of engines
    sys.path += [str(root / "tests"), str(root / "sandbox" / "tests" / "fakes")]
    if chosen.toy:
        os.environ[sizes.VARIABLE] = "yes"
    unknown = [name for name in chosen.parts if name not in PARTS]
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if chosen.against is not None:
        against = import_module("against")
        if not set(chosen.parts) <= set(against.WORK):
            sys.exit(f"only {', '.join(against.WORK)} can be compared with another source tree")
        for name in chosen.parts or against.WORK:
            against.run(name, chosen.against)
        return
    for name in chosen.parts or PARTS:
        import_module(name).run()


def is_interrupted(error: BaseException | None) -> bool:
    """Return whether Ctrl+C caused an error; a process that it ended too may have caused another."""
    if error is None or isinstance(error, KeyboardInterrupt):
        return error is not None
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return any(map(is_interrupted, (*parts, error.__context__)))


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        if not is_interrupted(error):
            raise
        sys.exit(130)
