"""Test that Markdown keeps the wording of its author where it means the same."""

from __future__ import annotations

from random import Random

import pytest
from fakes.examples import IN_STRESS
from fakes.hand_edits import edit_by_hand
from fakes.jira_documents import Maker

from ticketr.app.jira import adf

OWN = """\
Title
=====

A hard wrapped
paragraph with a [link][site] in it,
and __bold__ words.

* star
* bullets
* here

| a | b |
|---|:--|
| 1 | 2 |

~~~python
code

more
~~~

[site]: https://example.com
"""


def rendered(markdown: str) -> str:
    """Return the same as a pull would write it."""
    return adf.to_markdown(adf.to_adf(markdown))


def test_a_text_that_means_the_same_is_kept_whole() -> None:
    assert rendered(OWN) != OWN

    assert adf.reworded(rendered(OWN), OWN) == OWN.rstrip("\n")


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("# Title", "# New", {"Title", "=====", "# New"}),
        ("bullets", "arrows", {"* bullets", "* arrows"}),
        ("- here", "- here\n- there", {"* there"}),
        ("| 1 | 2 |", "| 1 | 3 |", {"| 1 | 2 |", "| 1 | 3 |"}),
        ("code\n", "codes\n", {"code", "codes", "~~~python", "~~~", "```python", "```"}),
    ],
)
def test_a_change_in_jira_changes_these_lines_alone(old: str, new: str, lines: set[str]) -> None:
    theirs = rendered(OWN)
    assert old in theirs

    made = adf.reworded(theirs.replace(old, new, 1), OWN)

    assert set(OWN.split("\n")) ^ set(made.split("\n")) - {""} <= lines | {""}
    assert adf.canonical(adf.to_adf(made)) == adf.canonical(adf.to_adf(theirs.replace(old, new, 1)))


def test_a_new_block_stands_between_those_of_the_file() -> None:
    theirs = rendered(OWN).replace("- star", "A new paragraph.\n\n- star")

    made = adf.reworded(theirs, OWN)

    assert "and __bold__ words.\n\nA new paragraph.\n\n* star\n* bullets" in made


def test_a_link_whose_address_was_changed_in_jira_follows_jira() -> None:
    theirs = rendered(OWN).replace("example.com", "other.example")

    made = adf.reworded(theirs, OWN)

    assert "[link](https://other.example)" in made
    assert "__bold__" not in made


def test_texts_that_are_too_long_or_nothing_alike_are_left_alone() -> None:
    long = "word " * 40_000

    assert adf.reworded(long, "x") == long
    assert adf.reworded("x", long) == "x"
    assert adf.reworded("one", "- two") == "one"
    assert adf.reworded("", "x") == ""


def test_a_block_of_very_many_parts_is_left_alone() -> None:
    # Tags around more paragraphs than are joined to find a block.
    panel = '<aside adf="panel" params=\'{"panelType":"info"}\'>'
    inside = "\n\n".join(f"line {number}" for number in range(60))
    markdown = f"{panel}\n\n{inside}\n\n</aside>"

    assert adf.reworded(f"{markdown}\n\n*new*", f"{markdown}\n\n_old_") == f"{markdown}\n\n*new*"


@pytest.mark.laws
@pytest.mark.parametrize("part", range(20 if IN_STRESS else 1))
def test_the_wording_changes_no_meaning(part: int) -> None:
    for seed in range(part * 30, part * 30 + (30 if IN_STRESS else 10)):
        rng = Random(seed)
        theirs = adf.to_markdown(Maker(rng, hostile=bool(seed % 2)).document())
        _, own = edit_by_hand(theirs, rng)

        made = adf.reworded(theirs, own)

        assert adf.canonical(adf.to_adf(made)) == adf.canonical(adf.to_adf(theirs))
