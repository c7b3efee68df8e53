"""Test the errors on words that a document cannot hold."""

from __future__ import annotations

import sys
from random import Random
from types import FrameType
from typing import Any

import pytest
from fakes.jira_documents import Maker
from fakes.unusual_markdown import unusual_markdown
from hypothesis import given, strategies as st

from ticketr.app.jira import adf
from ticketr.app.jira.adf._plain import plain_lines

LOST = {
    "- a\n\n  # Heading": ("Heading",),
    "- # Heading": ("Heading",),
    "- a\n  > quoted *words*": ("quoted", "words"),
    "> a\n>\n> > quoted": ("quoted",),
    "> # Heading\n>\n> a": ("Heading",),
    '- <aside adf="panel">in a block</aside>': ("in a block",),
    "- [ ] open\n\n      code": ("code",),
    "# a ![alt](https://example.com/x.png)": ("https://example.com/x.png",),
    "same\n\n- a\n\n  # same": ("same",),
    "- a\n\n  # " + "word " * 50: (f"{'word ' * 12}"[:59] + "…",),
    "- a\n\n  # x\x1b[2Jy": ("xy",),
}
KEPT = [
    "",
    "# Heading\n\n- a\n- b\n\n> quoted\n",
    "a <b>bold</b> <!-- --> b",
    "a &amp; b &#32; &#8364;",
    "snake_case **bold**ly `code` ~~gone~~",
    "[words](https://example.com/a?b=c&d=%20) <https://example.com> <mia@example.com>",
    "![alt](https://example.com/x.png)",
    "7) seven\n8) eight",
    "- [ ] open\n- [x] done",
    "```python\nx = 1\n```",
    "| a | b |\n|---|---|\n| c | d |",
    '<time adf="date" params=\'{"timestamp":"1767225600000"}\'>2026-01-01</time>',
    "- a\n\n  ---\n",
]


@pytest.mark.parametrize(("markdown", "pieces"), LOST.items())
def test_misplaced_content_is_reported(markdown: str, pieces: tuple[str, ...]) -> None:
    assert adf.dropped_texts(markdown) == pieces


@pytest.mark.parametrize("markdown", KEPT)
def test_words_in_the_document_do_not_count_as_lost(markdown: str) -> None:
    assert adf.dropped_texts(markdown) == ()


def test_the_number_of_reports_is_limited() -> None:
    assert len(adf.dropped_texts("- a\n" + "\n  # Heading\n" * 50)) == 10


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(0, 1500, 25))
def test_markdown_from_jira_loses_nothing(seed: int) -> None:
    for one in range(seed, seed + 5):
        converted = adf.convert(Maker(Random(one)).document())
        assert adf.dropped_texts(converted.markdown) == ()


def test_a_word_missing_in_the_document_is_reported() -> None:
    marked = [markdown.replace("words", "zebra") for markdown in unusual_markdown()]
    gone = [one for one in marked if "zebra" in one and "zebra" not in str(adf.to_adf(one))]
    assert len(gone) > 20
    for markdown in gone:
        assert any("zebra" in piece for piece in adf.dropped_texts(markdown)), markdown


@given(st.text())
def test_any_markdown_can_be_asked_about(markdown: str) -> None:
    assert all(piece.isprintable() for piece in adf.dropped_texts(markdown))


@pytest.mark.parametrize("markdown", ["> ", "[", "*a ", "**", "- ", "<b>", '<span adf="x">'])
def test_markdown_nested_without_end_can_be_asked_about(markdown: str) -> None:
    assert all(len(piece) <= 60 for piece in adf.dropped_texts(markdown * 2000 + "x"))


def test_markdown_that_marklas_stumbles_over_keeps_its_lines() -> None:
    markdown = "one\n\n<span adf=\"mention\" params='[1]'>two</span> three\n"
    assert adf.dropped_texts(markdown) == ()
    assert "three" in " ".join(plain_lines(adf.to_adf(markdown)))


def lines_run(markdown: str) -> int:
    """Count the lines of Python that run; calls would not show a loop over a list."""
    counted = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal counted
        counted += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        assert adf.dropped_texts(markdown) == ()
    finally:
        sys.settrace(before)
    return counted


def test_looking_is_linear_in_the_number_of_paragraphs() -> None:
    small, large = (
        lines_run("\n\n".join(f"word{each} of many" for each in range(size))) for size in (200, 800)
    )
    assert large < 4.4 * small
