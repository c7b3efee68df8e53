"""The syntax tree of a query, before its names are resolved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JqlLiteral:
    """A word, a number or a quoted string."""

    text: str


@dataclass(frozen=True, slots=True)
class Function:
    """A call, such as ``currentUser()``."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    """The word ``EMPTY``, or ``NULL``."""


JqlValue = JqlLiteral | Function | Empty


@dataclass(frozen=True, slots=True)
class Clause:
    """A comparison: ``field operator values``, the operator in lower case.

    Attributes:
        predicates: The conditions after WAS and CHANGED: a word such as ``after``, and values.
    """

    field: str
    operator: str
    values: tuple[JqlValue, ...]
    predicates: tuple[tuple[str, tuple[JqlValue, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    """A conjunction."""

    parts: tuple[JqlNode, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """A disjunction."""

    parts: tuple[JqlNode, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A negation."""

    part: JqlNode


JqlNode = Clause | And | Or | Not


@dataclass(frozen=True, slots=True)
class SortBy:
    """One field of ``ORDER BY``."""

    field: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; if ``where`` is None, it is unbounded."""

    where: JqlNode | None
    order: tuple[SortBy, ...]
