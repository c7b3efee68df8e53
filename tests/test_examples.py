"""Each example runs, is short, and prints what it is meant to print."""

from __future__ import annotations

import inspect
import runpy
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

EXAMPLES = Path(__file__).parent.parent / "examples"

PRINTED = {
    "01_first_queue": """\
job-1: 1
job-2: 4
job-3: 9
job-4: 16
job 'job-5' (divide) failed: ZeroDivisionError: division by zero
cancel: requested
endless: cancelled
4 jobs completed
""",
    "02_progress": """\
letters: 33% (1/3) file 1
photos: 50% (1/2) file 1
letters: 67% (2/3) file 2
photos: 100% (2/2) file 2
letters: 100% (3/3) file 3
""",
    "03_status_line": """\
Looking for photos
Looking for photos, done
Copying photos: 0/24 (0%)
Copying photos: 3/24 (13%)
Copying photos: 6/24 (25%)
Copying photos: 9/24 (38%)
photo 10 was a large one
Copying photos: 12/24 (50%)
Copying photos: 15/24 (63%)
Copying photos: 18/24 (75%)
photo 20 was a large one
Copying photos: 21/24 (88%)
24 photos copied
""",
    "08_history": """\
photos: failed, 5/9, OSError: no space left
letters: completed, 3/3, 3 files
1 failed
""",
    "09_testing_your_job": """\
careless: scope: the check failed: AssertionError('a seat is lost')
careful: in order
""",
}

REAL_CLOCK = {"08_history"}
"""It uses threads, for which a fake clock does not wait."""


def test_every_example_is_tested() -> None:
    assert sorted(PRINTED) == sorted(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_an_example_is_short(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_an_example_prints_what_it_should(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(EXAMPLES / f"{name}.py"))

    if inspect.iscoroutinefunction(example["main"]):
        clock = None if name in REAL_CLOCK else MockClock(autojump_threshold=0)
        trio.run(example["main"], clock=clock)
    else:
        example["main"]()

    assert capsys.readouterr().out == PRINTED[name]
