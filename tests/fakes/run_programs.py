"""Run the programs of the manual's pages and compare what they print with what the pages say.

``python run_programs.py PAGE...`` prints the differences and exits with 1 if there
are any. It needs Trio, and what the programs need, alone.

A program is a block of Python. If its first line is a comment with a file name, it is saved under
that name for the programs that follow on the page. What it prints is in the first text block before
the next program; a line with three dots there stands for any lines. Trio's clock jumps, unless
``<!-- real clock -->`` is the line before the block. A block after ``<!-- needs a server -->`` is saved
and not run: its page has a test of its own. A file of tests is run by pytest, unless it runs them
itself.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import subprocess
import sys
import tempfile
import traceback
from functools import partial
from pathlib import Path
from typing import NamedTuple

import trio
from trio.testing import MockClock

FENCE = re.compile(
    r"^(?:<!-- (real clock|needs a server) -->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
NAME = re.compile(r"# (\S+\.\w+)$", re.MULTILINE)
REAL_RUN = trio.run


class Program(NamedTuple):
    """A Python block of a page.

    Attributes:
        name: The name of its file; if its first line says none, one made of its line.
        code: The code.
        printed: What its page says that it prints.
        is_virtual: Whether Trio's clock jumps.
        needs_server: Whether a test of its own runs it.
    """

    name: str
    code: str
    printed: str
    is_virtual: bool
    needs_server: bool = False


def programs_of(text: str) -> list[Program]:
    """Return the programs of a page."""
    programs: list[Program] = []
    for block in FENCE.finditer(text):
        language, code = block[2], block[3]
        if language == "text" and programs and not programs[-1].printed:
            programs[-1] = programs[-1]._replace(printed=code)
        elif language == "python":
            name = NAME.match(code)
            line = text[: block.start()].count("\n") + 1
            is_virtual = block[1] is None
            needs_server = block[1] == "needs a server"
            name_of_file = name[1] if name else f"line_{line}.py"
            programs.append(Program(name_of_file, code, "", is_virtual, needs_server))
    return programs


def differences(page: Path) -> list[str]:
    """Run the programs of a page in a new folder; return how what they print differs."""
    found, tests = [], []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for program in programs_of(page.read_text(encoding="utf-8")):
            Path(program.name).write_text(program.code, encoding="utf-8")
            if program.needs_server:
                continue
            if program.name.startswith("test_") and "__main__" not in program.code:
                tests.append(program.name)
            elif not agree(program.printed, printed := run(program)):
                found.append(
                    f"{page}: {program.name} prints:\n{printed}instead of:\n{program.printed}"
                )
        if tests and (said := run_tests(tests)):
            found.append(f"{page}: {said}")
    return found


def agree(shown: str, printed: str) -> bool:
    """Return whether a program prints what its page shows."""
    lines = shown.splitlines(keepends=True)
    pattern = "".join("(?:.*\n)*" if line == "...\n" else re.escape(line) for line in lines)
    return re.fullmatch(pattern, printed) is not None


def run(program: Program) -> str:
    """Return all that a program prints, its traceback included if it ends by an error."""
    clock = MockClock(autojump_threshold=0) if program.is_virtual else None
    trio.run = partial(REAL_RUN, clock=clock)  # type: ignore[assignment]
    known = set(sys.modules)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            exec(compile(program.code, program.name, "exec"), {"__name__": "__main__"})
        except BaseException:  # noqa: BLE001 - it is part of what the program prints
            traceback.print_exc()
        finally:
            trio.run = REAL_RUN
        gc.collect()  # a coroutine that nobody awaited is told of here
    forget_files(set(sys.modules) - known)
    return printed.getvalue()


def forget_files(modules: set[str]) -> None:
    """Forget the modules that are files of the page, since each program begins again."""
    for name in modules:
        if getattr(sys.modules[name], "__file__", None) == str(Path(f"{name}.py").resolve()):
            del sys.modules[name]


def run_tests(names: list[str]) -> str:
    """Return what pytest says about tests that fail; it loads no plugin, which would take long."""
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(
        [*command, *names], env=environment, capture_output=True, text=True, check=False
    )
    return ran.stdout + ran.stderr if ran.returncode else ""


def main(arguments: list[str]) -> int:
    """Run the pages that the command line names."""
    sys.path[0] = ""  # a program may import another one of the page, and nothing from here
    sys.dont_write_bytecode = True  # a file may change within the second
    found = [each for name in arguments for each in differences(Path(name).resolve())]
    sys.stdout.write("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
