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
from fakes.run_programs import Program, agree, differences, programs_of

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
        timeout=50,
        check=False,
    )

    assert ran.stdout + ran.stderr == ""
    assert ran.returncode == 0


def test_a_block_with_a_name_is_a_file_and_its_output_is_the_text_after_it() -> None:
    page = (
        "```python\n# a.py\nx = 1\n```\n```console\n$ a\n```\nprints\n\n```text\n1\n```\n"
        "<!-- real clock -->\n```python\ny = 2\n```\n"
    )

    assert programs_of(page) == [
        Program("a.py", "# a.py\nx = 1\n", "1\n", is_virtual=True),
        Program("line_13.py", "y = 2\n", "", is_virtual=False),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a.c\n", "abc\n", False),
        ("", "a\n", False),
        ("a\n", "", False),
        ("...\nb\n...\n", "a\na\nb\n", True),
        ("...\nb\n...\n", "a\nc\n", False),
    ],
)
def test_three_dots_stand_for_any_lines(shown: str, printed: str, *, expected: bool) -> None:
    assert agree(shown, printed) is expected


@pytest.mark.parametrize(
    "code",
    [
        "print(1)\n",
        "1 / 0\n",
        "import warnings; warnings.warn('x')\n",
        "# test_it.py\ndef test_it():\n    assert False\n",
    ],
)
def test_a_program_that_prints_something_else_is_found(code: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```python\n{code}```\n", encoding="utf-8")

    assert len(differences(page)) == 1


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
