"""What a field of JQL is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.jql.readers import LiteralReader

EQUALITY: Final = frozenset({"=", "!=", "in", "not in"})
ORDERING: Final = frozenset({"<", "<=", ">", ">="})
EMPTINESS: Final = frozenset({"is", "is not"})
MATCHING: Final = frozenset({"~", "!~"})
#: The operators that search the history.
PAST: Final = frozenset({"was", "was not", "was in", "was not in", "changed"})
#: The operators of a field whose values have no order.
UNORDERED_OPERATORS: Final = EQUALITY | EMPTINESS
#: The operators of a field whose values have an order, such as dates and numbers.
ORDERED_OPERATORS: Final = UNORDERED_OPERATORS | ORDERING

#: Returns the values that an issue has in a field.
Values = Callable[["Issue"], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class JqlField:
    """A field of JQL.

    Attributes:
        names: The field's names, in lower case.
        operators: The operators that the field supports.
        values: Returns an issue's values of the field. An empty tuple is EMPTY; of several
            values, such as labels, any may match.
        read: Reads a literal.
        sort: Returns the sort key of an issue; None if the field cannot be sorted by.
        read_bound: Reads a literal after ``<`` and ``>``, if that differs from `read`.
        ordered: Returns the values that ``<`` and ``>`` compare, if they differ from `values`.
        is_date: Whether the field holds a time.
        is_day: Whether the field holds days without a time.
        is_user: Whether the field holds a user.
        history: The ID of the field in the history, if the operators of `PAST` are supported.
    """

    names: tuple[str, ...]
    operators: frozenset[str]
    values: Values
    read: LiteralReader
    sort: Callable[[Issue], Any] | None = None
    read_bound: LiteralReader | None = None
    ordered: Values | None = None
    is_date: bool = False
    is_day: bool = False
    is_user: bool = False
    history: str = ""
