"""What the table of nodes is written in: checks of attributes, kinds of nodes, and marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Check = Callable[[Any], bool]
Marks = tuple[frozenset[str], ...] | None
"""Which marks a node may have in a place: any of some sets, or no list of marks at all."""


@dataclass(frozen=True, slots=True)
class Attrs:
    """The attributes of a node or mark."""

    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a node of one type looks like.

    Attributes:
        attrs: What its attributes may be, any one of these; it has none if this is empty.
        content: The types of its children and their marks; None if it has no children.
        least: How many children it needs.
        most: How many it can have.
        free: Whether the attributes may be missing.
        listed: Whether the list of children must be there, though it may be empty.
    """

    attrs: tuple[Attrs, ...] = ()
    content: Mapping[str, Marks] | None = None
    least: int = 0
    most: int = 1_000_000
    free: bool = False
    listed: bool = False


def is_anything(_: Any) -> bool:
    """Take any value."""
    return True


def is_text(value: Any) -> bool:
    """Take text."""
    return isinstance(value, str)


def is_word(value: Any) -> bool:
    """Take text that is not empty."""
    return isinstance(value, str) and value != ""


def is_flag(value: Any) -> bool:
    """Take yes or no."""
    return isinstance(value, bool)


def number(low: float = float("-inf"), high: float = float("inf")) -> Check:
    """Take a number between two others, these included."""
    return lambda value: (
        isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    )


def one_of(words: str) -> Check:
    """Take one of some words."""
    known = frozenset(words.split())
    return lambda value: isinstance(value, str) and value in known


def like(pattern: str) -> Check:
    """Take text with something in it that fits a pattern."""
    return lambda value: isinstance(value, str) and re.search(pattern, value) is not None


def are_numbers(value: Any) -> bool:
    """Take a list of numbers."""
    return isinstance(value, list) and all(map(number(), value))


def are_words(value: Any) -> bool:
    """Take a list of texts that is not empty."""
    return isinstance(value, list) and value != [] and all(map(is_text, value))


def is_source(value: Any) -> bool:
    """Take the source of a table of issues."""
    return isinstance(value, dict) and value.keys() == {"id", "parameters", "views"}


def sets(*marks: str) -> tuple[frozenset[str], ...]:
    """Give the sets of marks that may stand together, each as words."""
    return tuple(frozenset(some.split()) for some in marks)


_COLOR: Final = like("^#[0-9a-fA-F]{6}$")

MARKS: Final[Mapping[str, Attrs | None]] = {
    **dict.fromkeys(("strong", "em", "strike", "underline", "code")),
    "link": Attrs(
        {"href": is_text},
        {"title": is_text, "id": is_text, "collection": is_text, "occurrenceKey": is_text},
    ),
    "subsup": Attrs({"type": one_of("sub sup")}),
    "textColor": Attrs({"color": _COLOR}),
    "backgroundColor": Attrs({"color": _COLOR}),
    "annotation": Attrs({"id": is_text, "annotationType": one_of("inlineComment")}),
    "alignment": Attrs({"align": one_of("center end")}),
    "indentation": Attrs({"level": number(1, 6)}),
    "fontSize": Attrs({"fontSize": one_of("small")}),
    "breakout": Attrs({"mode": one_of("wide full-width")}, {"width": number()}),
    "border": Attrs({"size": number(1, 3), "color": like("^#[0-9a-fA-F]{8}$|^#[0-9a-fA-F]{6}$")}),
    "dataConsumer": Attrs({"sources": are_words}),
    "fragment": Attrs({"localId": is_word}, {"name": is_text}),
}
"""Every mark; None for those without attributes."""
