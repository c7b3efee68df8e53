"""Run the sandbox in a child process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

_PROGRAM = """
import functools, jira_sandbox, trio

trio.run(functools.partial(jira_sandbox.run, announce=functools.partial(print, flush=True), **{!r}))
"""


@contextmanager
def sandbox_child(**options: object) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Start `jira_sandbox.run` in a child; yield the process and the address."""
    program = _PROGRAM.format({"tickets": 20, **options})
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on http://"), (line, process.communicate())
            yield process, line.removeprefix("listening on ").strip()
        finally:
            process.kill()
