"""The notation of the table of nodes and marks in `_schema`.

In a list of children, ``heading`` is a heading without marks, and
``heading(alignment|indentation)`` one whose marks are all of one of these sets: only
alignments, or only indentations, or none. Of two entries for one kind the last one counts.

In a list of attributes, ``level!=1..6`` must be there and be a number in that range. ``text`` is
any text and ``nonempty`` one that is not empty, ``flag`` is true or false, ``any`` is anything, and
``left|right`` is one of these words; `_CHECKS` has them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

Check = Callable[[object], bool]
#: The sets of marks that go together; None where there is no list of marks at all.
Marks = tuple[frozenset[str], ...] | None

_CHILD = re.compile(r"(\w+)(?:\(([^)]*)\))?")


@dataclass(frozen=True, slots=True)
class AttributeRules:
    """The attributes of a node or a mark.

    Attributes:
        checks: What each may be.
        required: Those that must be there.
    """

    checks: Mapping[str, Check] = field(default_factory=dict)
    required: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> AttributeRules:
        """Read a list of attributes."""
        pairs = [item.partition("=") for item in text.split()]
        return cls(
            checks={name.rstrip("!"): _read_check(kind) for name, _, kind in pairs},
            required=frozenset(name[:-1] for name, _, _ in pairs if name.endswith("!")),
        )


@dataclass(frozen=True, slots=True)
class Node:
    """A kind of node.

    Attributes:
        children: What may be in it, with the marks that it may have there.
        least: How many children it needs; None if the list itself may be missing.
        most: How many it can have.
        ordered: Whether each child must be the one of that place.
        attrs: What its attributes can be, one of these; empty if it has none.
        bare: Whether the attributes may be missing.
    """

    children: Mapping[str, Marks] = field(default_factory=dict)
    least: int | None = None
    most: int = 1_000_000
    ordered: bool = False
    attrs: tuple[AttributeRules, ...] = ()
    bare: bool = True


def node(
    children: str = "",
    *attrs: str,
    least: int | None = None,
    most: int = 1_000_000,
    ordered: bool = False,
    bare: bool | None = None,
) -> Node:
    """Read a row of the table; attributes may be missing where none is required."""
    read = tuple(map(AttributeRules.read, attrs))
    if bare is None:
        bare = all(not one.required for one in read)
    return Node(_read_children(children), least, most, ordered, read, bare)


def _read_children(text: str) -> dict[str, Marks]:
    return {
        match[1]: None
        if match[2] is None
        else tuple(frozenset(marks.split()) for marks in match[2].split("|"))
        for match in _CHILD.finditer(text)
    }


def _read_check(kind: str) -> Check:
    if kind in _CHECKS:
        return _CHECKS[kind]
    low, dots, high = kind.partition("..")
    if dots:
        least, most = float(low), float(high or "inf")
        return lambda value: _is_number(value) and least <= value <= most
    words = frozenset(kind.split("|"))
    return lambda value: isinstance(value, str) and value in words


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_nonempty(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(one, str) for one in value)


def _matches(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _is_source(value: object) -> bool:
    """Return whether a value is the data source of a card's table of issues."""
    return (
        isinstance(value, dict)
        and value.keys() == {"id", "parameters", "views"}
        and isinstance(value["id"], str)
        and isinstance(value["views"], list)
        and value["views"] != []
        and all(map(_is_view, value["views"]))
    )


def _is_view(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("type"), str)
        and value.keys() <= {"type", "properties"}
    )


_CHECKS: dict[str, Check] = {
    "any": lambda _: True,
    "text": lambda value: isinstance(value, str),
    "nonempty": _is_nonempty,
    "texts": _are_texts,
    "newline": lambda value: value == "\n",
    "flag": lambda value: isinstance(value, bool),
    "number": _is_number,
    "numbers": lambda value: isinstance(value, list) and all(map(_is_number, value)),
    "color": _matches("#[0-9a-fA-F]{6}"),
    "border-color": _matches("#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?"),
    "status-color": _matches("neutral|purple|blue|red|yellow|green|#[0-9a-fA-F]{6}"),
    "source": _is_source,
}
