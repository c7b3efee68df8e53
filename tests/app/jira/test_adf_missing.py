"""Test the names of what Markdown does not hold of a document."""

from __future__ import annotations

from random import Random
from typing import Any

from fakes.adf_nodes import doc, paragraph, text
from fakes.jira_documents import Maker
from rows import for_each

from ticketr.app.jira.adf._losses import ReplacementLosses


def missing(wanted: object, shown: object, sent: object) -> tuple[str, ...]:
    return ReplacementLosses(wanted, shown, sent).describe_undescribed_losses()


STRONG = {"type": "strong"}
LINK = {"type": "link", "attrs": {"href": "https://a.example/<b>"}}
PANEL = {"type": "panel", "attrs": {"panelType": "info"}, "content": [paragraph(text("a note"))]}
WARNING = {**PANEL, "attrs": {"panelType": "warning"}}
PLAIN = doc(paragraph(text("words here")))


@for_each(
    ("wanted", "shown", "named"),
    [
        (
            doc(paragraph(text("words here", LINK))),
            PLAIN,
            ("the link to https://a.example/<b> of “words here”",),
        ),
        (doc(paragraph(text("words here", STRONG))), PLAIN, ("the strong of “words here”",)),
        (
            doc(PANEL, paragraph(text("words here"))),
            PLAIN,
            ("a panel at “a note”", "a paragraph at “a note”"),
        ),
        (doc(WARNING), doc(PANEL), ("a detail of a panel at “a note”",)),
        (doc(paragraph(text("words here too"))), PLAIN, ("“too”",)),
        (PLAIN, PLAIN, ()),
        (None, doc(), ()),
    ],
)
def test_missing_content_is_named(wanted: Any, shown: Any, named: tuple[str, ...]) -> None:
    assert missing(wanted, shown, shown) == named


def test_content_that_is_sent_anyway_is_not_missing() -> None:
    wanted = doc(PANEL, paragraph(text("x")))

    assert missing(wanted, PLAIN, doc(paragraph(text("x y")), PANEL)) == ()


def test_similar_content_that_is_sent_does_not_hide_a_loss() -> None:
    wanted = doc(paragraph(text("# a")), paragraph(text("x")))
    heading = {"type": "heading", "attrs": {"level": 1}, "content": [text("a")]}
    shown, sent = (doc(heading, paragraph(text(each))) for each in ("x", "y"))

    assert missing(wanted, shown, sent)[0] == "a paragraph at “# a”"


@for_each("seed", range(0, 300, 25))
def test_something_is_named_exactly_if_content_is_missing(seed: int) -> None:
    maker = Maker(Random(seed))
    one, other = maker.document(), maker.document()

    assert missing(one, one, doc()) == ()
    assert bool(missing(one, other, doc())) == bool(one["content"])
    assert all(text.isprintable() for text in missing(one, other, doc()))
