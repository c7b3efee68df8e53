"""Compile the tree of a query to a filter and a sort order.

NOT is pushed down to the comparisons, as in Jira. So ``NOT assignee = x`` leaves out
unassigned issues, like ``assignee != x``: an empty field matches no comparison.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any, Final, assert_never

from ticketr.sandbox.data.issue import Issue
from ticketr.sandbox.data.model import to_millis
from ticketr.sandbox.errors import JqlError
from ticketr.sandbox.jql import nodes
from ticketr.sandbox.jql.dates import read_period
from ticketr.sandbox.jql.fields import EQUALITY, JqlField, QueryContext, find_field

Test = Callable[[Issue], bool]
SortKey = Callable[[Issue], Any]

MAX_SORT_FIELDS: Final = 7
_OPPOSITE: Final = {"=": "!=", "in": "not in", "is": "is not", "~": "!~", "<": ">=", ">": "<="}
_OPPOSITE_OF: Final = {**_OPPOSITE, **{right: left for left, right in _OPPOSITE.items()}}
_COMPARE: Final = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A compiled query.

    Attributes:
        test: Returns whether an issue matches.
        order: The sort keys, the most important first, each with True for descending.
        timeless: Whether the result depends on the issues only, not on the time.
    """

    test: Test
    order: tuple[tuple[SortKey, bool], ...]
    timeless: bool


def make_plan(query: nodes.Query, context: QueryContext) -> QueryPlan:
    """Compile a query.

    Raises:
        JqlError: The query is unbounded, or names something that does not exist.
    """
    if query.where is None:
        raise JqlError(
            "Unbounded JQL queries are not allowed here. "
            "Please add a search restriction to your query."
        )
    if len(query.order) > MAX_SORT_FIELDS:
        raise JqlError(f"The ORDER BY clause has more than {MAX_SORT_FIELDS} fields.")
    test = _test(query.where, context, negated=False)
    return QueryPlan(test, tuple(_sort(key) for key in query.order), _timeless(query.where))


def _sort(key: nodes.SortBy) -> tuple[SortKey, bool]:
    field = find_field(key.field)
    if field is None:
        raise _unknown_field(key.field)
    if field.sort is None:
        raise JqlError(f"Not able to sort using field '{key.field}'.")
    return field.sort, key.descending


def _unknown_field(name: str) -> JqlError:
    return JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")


def _timeless(node: nodes.JqlNode) -> bool:
    if isinstance(node, (nodes.And, nodes.Or)):
        return all(_timeless(part) for part in node.parts)
    if isinstance(node, nodes.Not):
        return _timeless(node.part)
    field = find_field(node.field)
    return field is None or not field.is_date


def _test(node: nodes.JqlNode, context: QueryContext, *, negated: bool) -> Test:
    if isinstance(node, nodes.Not):
        return _test(node.part, context, negated=not negated)
    if isinstance(node, nodes.Clause):
        return _clause(node, context, negated=negated)
    if isinstance(node, (nodes.And, nodes.Or)):
        tests = tuple(_test(part, context, negated=negated) for part in node.parts)
        if isinstance(node, nodes.And) != negated:
            return lambda issue: all(test(issue) for test in tests)
        return lambda issue: any(test(issue) for test in tests)
    assert_never(node)


def _clause(clause: nodes.Clause, context: QueryContext, *, negated: bool) -> Test:
    field = find_field(clause.field)
    if field is None:
        raise _unknown_field(clause.field)
    _check_operator(clause, field)
    written = _OPPOSITE_OF[clause.operator] if negated else clause.operator
    if len(clause.values) == 1 and isinstance(clause.values[0], nodes.Empty):
        return _emptiness(field, wanted=written in {"=", "is", "in"})
    wanted = [_read(value, clause, field, context) for value in clause.values]
    if written in EQUALITY:
        return _membership(field, frozenset(wanted), wanted=written in {"=", "in"})
    if written in _COMPARE:
        return _comparison(field, _COMPARE[written], wanted[0])
    return _matching(field, wanted[0], wanted=written == "~")


def _check_operator(clause: nodes.Clause, field: JqlField) -> None:
    if clause.operator not in field.operators:
        raise JqlError(
            f"The operator '{clause.operator}' is not supported by the '{clause.field}' field."
        )
    if clause.operator in _COMPARE and isinstance(clause.values[0], nodes.Empty):
        raise JqlError(
            f"The operator '{clause.operator}' does not support searching for empty values."
        )


def _emptiness(field: JqlField, *, wanted: bool) -> Test:
    values = field.values
    if wanted:
        return lambda issue: not values(issue)
    return lambda issue: bool(values(issue))


def _membership(field: JqlField, accepted: frozenset[Any], *, wanted: bool) -> Test:
    values = field.values
    if wanted:
        return lambda issue: not accepted.isdisjoint(values(issue))

    def differs(issue: Issue) -> bool:
        found = values(issue)
        return bool(found) and accepted.isdisjoint(found)

    return differs


def _comparison(field: JqlField, compare: Callable[[Any, Any], bool], limit: object) -> Test:
    values = field.values
    return lambda issue: any(compare(value, limit) for value in values(issue))


def _matching(field: JqlField, text: str, *, wanted: bool) -> Test:
    """Return a test for every word of ``text``; a star at the end of a word matches any ending."""
    words = [word for word in re.split(r"[^\w*]+", text) if word.strip("*")]
    patterns = [
        re.compile(
            rf"(?<!\w){re.escape(word.rstrip('*'))}" + ("" if word.endswith("*") else r"(?!\w)")
        )
        for word in words
    ]
    values = field.values
    return lambda issue: (
        wanted == all(any(pattern.search(value) for value in values(issue)) for pattern in patterns)
    )


def _read(
    value: nodes.JqlValue, clause: nodes.Clause, field: JqlField, context: QueryContext
) -> Any:
    if isinstance(value, nodes.JqlLiteral):
        bound = field.read_bound if clause.operator in _COMPARE else None
        return (bound or field.read)(context, clause.field, value.text)
    if isinstance(value, nodes.Function):
        return _call(value, clause, field, context)
    raise JqlError(f"The field '{clause.field}' does not support EMPTY inside a list.")


def _call(
    call: nodes.Function, clause: nodes.Clause, field: JqlField, context: QueryContext
) -> Any:
    name = call.name.lower()
    if name == "currentuser" and field.is_user and not call.arguments:
        return context.site.user.account_id
    if name == "now" and field.is_date and not call.arguments:
        return to_millis(context.now.astimezone(UTC))
    if name == "startofday" and field.is_date:
        return _start_of_day(call, context)
    raise JqlError(
        f"Unable to find JQL function '{call.name}({', '.join(call.arguments)})' "
        f"for the field '{clause.field}'."
    )


def _start_of_day(call: nodes.Function, context: QueryContext) -> int:
    offset: timedelta | None = timedelta()
    if call.arguments:
        text = call.arguments[0]
        offset = read_period(f"{text}d" if text.lstrip("+-").isdigit() else text)
    if offset is None or len(call.arguments) > 1:
        raise JqlError(
            f"The arguments of the function '{call.name}' are not a single period such as '-1d'."
        )
    local = context.now.astimezone(context.site.user.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return to_millis(midnight + offset)
