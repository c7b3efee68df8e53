"""Test tables as people write them: none silently becomes a line of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ticketr.app.jira import adf
from ticketr.app.jira.adf._tables import read_tables

HEAD = "| a | b |\n|---|---|\n"


def nodes(document: Any, kind: str) -> Iterator[Any]:
    if document.get("type") == kind:
        yield document
    for child in document.get("content", []):
        yield from nodes(child, kind)


def rows(markdown: str) -> list[list[str]]:
    """Return the words of each cell of the only table."""
    (table,) = nodes(adf.to_adf(markdown), "table")
    return [
        ["".join(each["text"] for each in nodes(cell, "text")) for cell in row["content"]]
        for row in table["content"]
    ]


@pytest.mark.parametrize(
    ("markdown", "last"),
    [
        (f"{HEAD}| 1 |", ["1", ""]),
        (f"{HEAD}| 1", ["1", ""]),
        (f"{HEAD}||", ["", ""]),
        (f"{HEAD}| 1 | 2", ["1", "2"]),
        (f"{HEAD}1 | 2 |", ["1", "2"]),
        ("a | b\n---|---\n1 |", ["1", ""]),
        ("text\na | b\n---|---\n1 | 2", ["1", "2"]),
        (f"{HEAD}| `x|y` | 2 |", ["x|y", "2"]),
        (f"{HEAD}| ``x|`y`` | 2 |", ["x|`y", "2"]),
        (f"{HEAD}| `x\\|y` | 2 |", ["x|y", "2"]),
        (f"{HEAD}| x\\|y |", ["x|y", ""]),
        ("| `a|b` | c |\n|---|---|\n| 1 | 2 |", ["1", "2"]),
        (f"{HEAD}| - | - |", ["-", "-"]),
        (f"{HEAD}| 1 | 2 | |", ["1", "2"]),
        (f"{HEAD}| 1 | 2 ||||", ["1", "2"]),
        (f"{HEAD}| `x|y` | 2 | |", ["x|y", "2"]),
        ("| a | b |\r\n|---|---|\r\n| 1 |\r\n", ["1", ""]),
        ("| a | b |\n|\xa0---\xa0|---|\n| 1 |", ["1", ""]),
    ],
)
def test_a_row_is_repaired_without_a_change_to_its_words(markdown: str, last: list[str]) -> None:
    assert rows(markdown)[-1] == last
    assert adf.dropped_pieces(markdown) == ()
    assert adf.is_exact(adf.to_adf(markdown), adf.to_markdown(adf.to_adf(markdown)))


@pytest.mark.parametrize(
    ("markdown", "line", "words"),
    [
        (f"x\n\n{HEAD}| 1 | 2 |\n| 1 | 2 | 3 |", 6, "this row has 3 cells where its table has 2"),
        (f"{HEAD}| `x|y` | 2 | 3 |", 3, "this row has 3 cells where its table has 2"),
        (f"{HEAD}| `x|y` |", 3, "there is a | between backquotes here"),
        (f"{HEAD}| 1 | 2 |\nmore", 4, "right below a table"),
        ("| a | b |\n|---|\n| 1 | 2 |", 2, "looks like a table, but is none"),
        ("| a |\n|---|---|\n| 1 | 2 |", 2, "looks like a table, but is none"),
        ("| a | b |\n|-- -|---|\n| 1 | 2 |", 2, "looks like a table, but is none"),
        ("> | a | b |\n> |---|---|\n> | 1 | 2 |", 2, "cannot be in a list or a quote"),
        ("- x\n  | a | b |\n  |---|---|\n", 3, "cannot be in a list or a quote"),
        (f"{HEAD}| 1 | 2 |\n\n- x\n  | a | b |\n  |---|---|\n", 2, "in a list or a quote"),
    ],
)
def test_a_row_that_cannot_be_repaired_is_reported_with_its_line(
    markdown: str, line: int, words: str
) -> None:
    first, *others = adf.dropped_pieces(markdown)

    assert first.line == line
    assert words in first.reason
    assert others == []


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        ("| a | b |\n| 1 | 2 |", 1),
        ("x\n\n| a | b |\n| 1 | 2 |\n| 3 | 4 |\nmore", 3),
        (f"{HEAD}| 1 | 2 |\n\n| 3 | 4 |\n| 5 | 6 |", 5),
        ("> | a | b |\n> | 1 | 2 |", 1),
        ("||a||b||\n|1|2|", 1),
        ("| a | b |\n| — | — |\n| 1 | 2 |", 1),
        ("a | b\n—|—|\n1 | 2", 2),
        ("| a | b |\n|---+---|\n| 1 | 2 |", 2),
        ("+---+---+\n| a | b |\n+===+===+\n| 1 | 2 |\n+---+---+", 1),
        (" a | b\n---+---\n 1 | 2", 2),
        ("```\ncode\n```\n| a | b |\n| 1 | 2 |\n```\ncode\n```", 4),
    ],
)
def test_a_table_in_another_notation_is_reported_with_its_line(markdown: str, line: int) -> None:
    (found,) = adf.dropped_pieces(markdown)

    assert found.line == line
    assert "looks like a table, but would become a line of text" in found.reason


@pytest.mark.parametrize(
    "markdown",
    [
        "```\n| a | b |\n|---|\n```",
        "~~~\n| a | b |\n|---|---|\n| 1 | 2 | 3 |\n~~~",
        "- x\n\n  ```\n  | a | b |\n  |---|\n  ```",
        "    | a | b |\n    |---|\n",
        "\\| a | b |\n\\|---|",
        "a | b",
        "a | b\n---",
        "either | or -- it's | all -- text",
        "```\n| a | b |\n| 1 | 2 |\n```",
        "```\n| a | b |\n+---+---+\n```",
        "    | a | b |\n    | 1 | 2 |",
        "- x\n\n      | a | b |\n      | 1 | 2 |",
        "> ```\n> | a | b |\n> | 1 | 2 |\n> ```",
        "\\| a | b |\n\\| 1 | 2 |",
        "cat x | grep y\n---\n\na || b\n-----\nC++ | D--\n+1 | -1",
        "|x|\n|y|",
        "cat x |\n  grep y |\n  wc",
        "+++ b/x\n--- a/x | y",
    ],
)
def test_text_that_is_no_table_is_unchanged(markdown: str) -> None:
    assert list(nodes(adf.to_adf(markdown), "table")) == []
    assert adf.dropped_pieces(markdown) == ()


@pytest.mark.parametrize("after", ["# heading", "> quote", "- item", "1. item", "```\ncode\n```"])
def test_another_block_ends_a_table(after: str) -> None:
    markdown = f"{HEAD}| 1 |\n{after}"

    assert rows(markdown)[-1] == ["1", ""]
    assert adf.dropped_pieces(markdown) == ()


def test_long_lines_of_blanks_are_looked_at_once() -> None:
    """A pattern that tries each way to split them takes minutes, beyond the test's time limit."""
    blanks = " " * 400_000
    found = read_tables(f"a|b\n|-{blanks}- |")

    assert found.strays == [2]


def test_rows_are_not_filled_without_end() -> None:
    wide = f"|{'a|' * 1500}\n|{'-|' * 1500}\n" + "|1|\n" * 1000

    found = read_tables(wide)

    assert len(found.markdown) < 5 * len(wide)
    assert len(found.problems) == 999
    assert "has 1 cell where its table has 1500" in found.problems[0].reason
    assert "write 1499 more" in found.problems[0].reason
