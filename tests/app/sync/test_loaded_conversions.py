"""What conversions need is made on a worker thread, so that the screen does not stand still."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
#: Pulls and pushes in a process of its own, and prints on which threads marklas was imported, and
#: on which ones a pull compiled long patterns for a family's text.
PROGRAM = """
import re._compiler
import sys, threading
from pathlib import Path

import trio

seen = set()

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"marklas", "mistune"}:
            seen.add(threading.current_thread() is threading.main_thread())
        if name == "importlib.readers":  # reads the table of emoji
            seen.add(threading.current_thread() is threading.main_thread())

def compile_pattern(pattern, flags=0):
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "render_family":
        frame = frame.f_back
    if len(str(pattern)) > 150 and frame is not None:
        seen.add(threading.current_thread() is threading.main_thread())
    return compile_as_before(pattern, flags)

from fakes.pulls import Bench
from jira_sandbox import make_site

bench = Bench(make_site(tickets=20, seed=1), Path(sys.argv[1]))
job, *rest = sys.argv[2:]
sys.meta_path.insert(0, Finder())
compile_as_before = re._compiler.compile
if job == "pull":
    re._compiler.compile = compile_pattern
trio.run(lambda: getattr(bench, job)(run_sync=trio.to_thread.run_sync))
print(*sorted(seen))
"""


def test_a_pull_imports_and_compiles_them_on_a_thread(tmp_path: Path) -> None:
    assert imported_on_trio(tmp_path, "pull") == "False"


def test_a_pull_of_nothing_new_does_not_import_them(tmp_path: Path) -> None:
    imported_on_trio(tmp_path, "pull")

    assert not imported_on_trio(tmp_path, "pull")


@pytest.mark.parametrize("job", ["push", "sync"])
def test_a_push_imports_them_on_a_thread(tmp_path: Path, job: str) -> None:
    (tmp_path / "new.md").write_text("# TICKET: New\n\nSome *text* :smile:\n", encoding="utf-8")

    assert imported_on_trio(tmp_path, job) == "False"


def imported_on_trio(root: Path, job: str) -> str:
    """Run a job; return whether marklas was imported on Trio's thread, or an empty string."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(root), job],
        check=True,
        capture_output=True,
        text=True,
        cwd=TESTS,
    )
    return done.stdout.strip()
