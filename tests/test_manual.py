"""Each program in the manual runs and prints what its page says; the reference has every name."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

import ticketr
import ticketr.statusline
import ticketr.testing

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
RUNNER = Path(__file__).parent / "fakes" / "run_programs.py"
REFERENCE = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.glob("reference/*.md"))


class Program(NamedTuple):
    """A Python block of a page.

    Attributes:
        name: The name of its file: what its first line says, or else made of its line.
        code: The code.
        printed: What its page says that it prints: the first text block before the next program.
        is_virtual: Whether Trio's clock jumps. ``<!-- real clock -->`` before the block says no.
    """

    name: str
    code: str
    printed: str
    is_virtual: bool


FENCE = re.compile(r"^(<!-- real clock -->\n+)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs_of(text: str) -> list[Program]:
    programs: list[Program] = []
    for block in FENCE.finditer(text):
        language, code = block[2], block[3]
        if language == "text" and programs and not programs[-1].printed:
            programs[-1] = programs[-1]._replace(printed=code)
        elif language == "python":
            name = re.match(r"# (\w+\.py)$", code, re.MULTILINE)
            line = text[: block.start()].count("\n") + 1
            is_virtual = block[1] is None
            programs.append(Program(name[1] if name else f"line_{line}.py", code, "", is_virtual))
    return programs


PAGES = {
    page.relative_to(ROOT).as_posix(): programs
    for page in sorted([ROOT / "README.md", *DOCS.glob("**/*.md")])
    if (programs := programs_of(page.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("page", PAGES)
def test_the_programs_of_a_page_print_what_it_says(page: str, tmp_path: Path) -> None:
    programs = PAGES[page]
    sent = [{"name": it.name, "code": it.code, "virtual": it.is_virtual} for it in programs]

    ran = subprocess.run(
        [sys.executable, "-W", "error", str(RUNNER)],
        cwd=tmp_path,
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert ran.stderr == ""
    for program, printed in zip(programs, json.loads(ran.stdout), strict=True):
        assert printed == program.printed, f"{page}, {program.name}"


def test_a_block_with_a_name_is_a_file_and_its_output_is_the_text_after_it() -> None:
    page = (
        "```python\n# a.py\nx = 1\n```\n```console\n$ a\n```\nprints\n\n```text\n1\n```\n"
        "<!-- real clock -->\n\n```python\ny = 2\n```\n"
    )

    assert programs_of(page) == [
        Program("a.py", "# a.py\nx = 1\n", "1\n", is_virtual=True),
        Program("line_13.py", "y = 2\n", "", is_virtual=False),
    ]


def described(module: str) -> Counter[str]:
    """Count what the pages of the reference describe of a module."""
    parts = re.split(r"^\.\. py:currentmodule:: ([\w.]+)$", REFERENCE, flags=re.MULTILINE)
    names: Counter[str] = Counter()
    for owner, text in zip(parts[1::2], parts[2::2], strict=True):
        if owner == module:
            names.update(re.findall(r"^\.\. (?:auto\w+|py:data):: ([\w.]+)$", text, re.MULTILINE))
    return names


@pytest.mark.parametrize("module", [ticketr, ticketr.testing, ticketr.statusline])
def test_the_reference_has_every_public_name_once(module: object) -> None:
    names = described(module.__name__)  # type: ignore[attr-defined]
    public = set(module.__all__) - {"__version__"}  # type: ignore[attr-defined]

    assert {name for name in names if "." not in name} == public
    assert set(names.values()) == {1}


def test_the_reference_has_every_method_of_the_queue() -> None:
    methods = {
        f"JobQueue.{name}"
        for name, value in vars(ticketr.JobQueue).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    }

    assert {name for name in described("ticketr") if "." in name} == methods


def test_the_reference_shows_the_tree_of_errors() -> None:
    tree = (ticketr._errors.__doc__ or "").split("::\n\n")[1].split("\n\n")[0]

    assert textwrap.dedent(tree) in REFERENCE
