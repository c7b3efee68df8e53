"""Each program in the manual runs and prints what its page says; the reference has every name."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from fakes.processes import unmeasured
from fakes.run_programs import programs_of

import ticketr
import ticketr.celery
import ticketr.portal
import ticketr.procrastinate
import ticketr.statusline
import ticketr.testing

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
RUNNER = Path(__file__).parent / "fakes" / "run_programs.py"
REFERENCE = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.glob("reference/*.md"))


PAGES = [
    page.relative_to(ROOT).as_posix()
    for page in sorted([ROOT / "README.md", ROOT / "sandbox" / "README.md", *DOCS.glob("**/*.md")])
    if programs_of(page.read_text(encoding="utf-8"))
]


@pytest.mark.unmeasured
@pytest.mark.parametrize("page", PAGES)
def test_the_programs_of_a_page_print_what_it_says(page: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(RUNNER), str(ROOT / page)],
        env=unmeasured(),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    assert ran.stdout + ran.stderr == ""
    assert ran.returncode == 0


def described(module: str) -> Counter[str]:
    """Count what the pages of the reference describe of a module."""
    parts = re.split(r"^\.\. py:currentmodule:: ([\w.]+)$", REFERENCE, flags=re.MULTILINE)
    names: Counter[str] = Counter()
    for owner, text in zip(parts[1::2], parts[2::2], strict=True):
        if owner == module:
            names.update(re.findall(r"^\.\. (?:auto\w+|py:data):: ([\w.]+)$", text, re.MULTILINE))
    return names


@pytest.mark.parametrize(
    "module",
    [
        ticketr,
        ticketr.testing,
        ticketr.portal,
        ticketr.procrastinate,
        ticketr.celery,
        ticketr.statusline,
    ],
)
def test_the_reference_has_every_public_name_once(module: object) -> None:
    names = described(module.__name__)  # type: ignore[attr-defined]
    public = set(module.__all__) - {"__version__"}  # type: ignore[attr-defined]

    assert {name for name in names if "." not in name} == public
    assert set(names.values()) == {1}


def test_the_reference_has_every_method_of_the_queue() -> None:
    methods = {
        f"JobQueue.{name}"
        for name, value in inspect.getmembers(ticketr.JobQueue)  # those of its bases, too
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    }

    assert {name for name in described("ticketr") if "." in name} == methods


def test_the_reference_shows_the_tree_of_errors() -> None:
    (tree,) = re.findall(r"^TicketrError\n(?: +[├└].*\n)+", REFERENCE, re.MULTILINE)
    parents = {-1: "Exception"}

    for line in tree.splitlines():
        indent, name = re.match(r"( *)[├└─ ]*(\w+)", line).groups()  # type: ignore[union-attr]
        error = getattr(ticketr, name)
        level = max(each for each in parents if each < len(indent))
        assert error.__bases__[0].__name__ == parents[level]
        parents = {each: parents[each] for each in parents if each < len(indent)}
        parents[len(indent)] = name
    assert {name for name in ticketr.__all__ if name in tree.split()} == {
        name
        for name in ticketr.__all__
        if isinstance(getattr(ticketr, name), type)
        and issubclass(getattr(ticketr, name), Exception)
    }
