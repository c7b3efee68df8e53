from __future__ import annotations

import re
from pathlib import Path

import pytest

from ticketr.app.tickets import parse, render

PAGE = Path(__file__).parents[3] / "docs" / "format.md"
EXAMPLES = re.findall(r"```markdown\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == 6


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_in_the_form_that_we_write(example: str) -> None:
    assert render(parse(example).tickets) == example


def test_the_page_itself_is_no_ticket() -> None:
    assert parse(PAGE.read_text(encoding="utf-8")).tickets == ()
