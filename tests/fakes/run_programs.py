"""Run the programs of a page one after the other, as a reader would; used by test_manual.py.

Reads a JSON list of programs from standard input: each has a ``name``, its ``code`` and whether its
clock is ``virtual``. Writes a JSON list of what each of them prints.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import subprocess
import sys
import traceback
from functools import partial
from pathlib import Path

import trio
from trio.testing import MockClock

REAL_RUN = trio.run


def run(name: str, code: str, *, virtual: bool) -> str:
    """Return all that a program prints, its traceback included if it ends by an error."""
    Path(name).write_text(code, encoding="utf-8")
    if name.startswith("test_"):
        return run_tests(name)
    clock = MockClock(autojump_threshold=0) if virtual else None
    trio.run = partial(REAL_RUN, clock=clock)  # type: ignore[assignment]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            exec(compile(code, name, "exec"), {"__name__": "__main__"})
        except BaseException:  # noqa: BLE001 - it is part of what the program prints
            traceback.print_exc()
        gc.collect()  # a coroutine that nobody awaited is told of here
    return printed.getvalue()


def run_tests(name: str) -> str:
    """Return what pytest says about tests that fail."""
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", name]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr if ran.returncode else ""


if __name__ == "__main__":
    sys.path.insert(0, "")  # a program may import another one of the page
    programs = json.load(sys.stdin)
    printed = [run(each["name"], each["code"], virtual=each["virtual"]) for each in programs]
    json.dump(printed, sys.stdout)
