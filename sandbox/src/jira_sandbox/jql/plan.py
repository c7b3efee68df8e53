"""Compile the tree of a query to a filter and a sort order.

NOT is pushed down to the comparisons, as in Jira. So ``NOT assignee = x`` leaves out
unassigned issues, like ``assignee != x``: an empty field matches no comparison.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, assert_never

from jira_sandbox.data.issue import Issue
from jira_sandbox.errors import JqlError
from jira_sandbox.jql import nodes
from jira_sandbox.jql.field import EQUALITY, PAST, JqlField
from jira_sandbox.jql.fields import QueryContext, find_field
from jira_sandbox.jql.functions import call
from jira_sandbox.jql.past import past_test

Test = Callable[[Issue], bool]
SortKey = Callable[[Issue], Any]

MAX_SORT_FIELDS: Final = 7
_NEGATED: Final = {"=": "!=", "in": "not in", "is": "is not", "~": "!~", "<": ">=", ">": "<="}
_NEGATION: Final = {**_NEGATED, **{right: left for left, right in _NEGATED.items()}}
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
    test = _compile(query.where, context, negated=False)
    return QueryPlan(test, tuple(_sort_key(key) for key in query.order), _is_timeless(query.where))


def _sort_key(key: nodes.SortBy) -> tuple[SortKey, bool]:
    field = find_field(key.field)
    if field is None:
        raise _unknown_field(key.field)
    if field.sort is None:
        raise JqlError(f"Not able to sort using field '{key.field}'.")
    return field.sort, key.descending


def _unknown_field(name: str) -> JqlError:
    return JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")


def _is_timeless(node: nodes.JqlNode) -> bool:
    """Return whether time alone never changes the result."""
    if isinstance(node, (nodes.And, nodes.Or)):
        return all(_is_timeless(part) for part in node.parts)
    if isinstance(node, nodes.Not):
        return _is_timeless(node.part)
    field = find_field(node.field)
    return field is None or not (field.is_date or field.is_day or node.predicates)


def _compile(node: nodes.JqlNode, context: QueryContext, *, negated: bool) -> Test:
    """Return the test that a part of a query stands for, or its negation."""
    if isinstance(node, nodes.Not):
        return _compile(node.part, context, negated=not negated)
    if isinstance(node, nodes.Clause):
        return _compile_clause(node, context, negated=negated)
    if isinstance(node, (nodes.And, nodes.Or)):
        tests = tuple(_compile(part, context, negated=negated) for part in node.parts)
        if isinstance(node, nodes.And) != negated:
            return lambda issue: all(test(issue) for test in tests)
        return lambda issue: any(test(issue) for test in tests)
    assert_never(node)


def _compile_clause(clause: nodes.Clause, context: QueryContext, *, negated: bool) -> Test:
    field = find_field(clause.field)
    if field is None:
        raise _unknown_field(clause.field)
    _check_operator(clause, field)
    if clause.operator in PAST:
        return _compile_past(clause, field, context, negated=negated)
    written = _NEGATION[clause.operator] if negated else clause.operator
    given = [value for value in clause.values if not _is_empty(value, field)]
    if not given:
        return _empty_test(field, wanted=written in {"=", "is", "in"})
    wanted = [each for value in given for each in _read_value(value, clause, field, context)]
    if written in EQUALITY:
        with_empty = len(given) < len(clause.values)
        return _membership_test(
            field, frozenset(wanted), wanted=written in {"=", "in"}, with_empty=with_empty
        )
    if written in _COMPARE:
        return _comparison_test(field, _COMPARE[written], wanted[0])
    return _text_test(field, wanted[0], wanted=written == "~")


def _is_empty(value: nodes.JqlValue, field: JqlField) -> bool:
    """Return whether a value means EMPTY, as ``Unresolved`` does for a resolution."""
    if isinstance(value, nodes.JqlLiteral):
        return field.names[0] == "resolution" and value.text.lower() == "unresolved"
    return isinstance(value, nodes.Empty)


def _compile_past(
    clause: nodes.Clause, field: JqlField, context: QueryContext, *, negated: bool
) -> Test:
    wanted = frozenset(
        text
        for value in clause.values
        for text in (
            ("None",)
            if _is_empty(value, field)
            else map(str, _read_value(value, clause, field, context))
        )
    )
    was = past_test(clause, field, wanted, context)
    if negated != ("not" in clause.operator):
        return lambda issue: not was(issue)
    return was


def _check_operator(clause: nodes.Clause, field: JqlField) -> None:
    if clause.operator not in field.operators:
        raise JqlError(
            f"The operator '{clause.operator}' is not supported by the '{clause.field}' field."
        )
    if clause.operator in _COMPARE and isinstance(clause.values[0], nodes.Empty):
        raise JqlError(
            f"The operator '{clause.operator}' does not support searching for empty values."
        )


def _empty_test(field: JqlField, *, wanted: bool) -> Test:
    values = field.values
    if wanted:
        return lambda issue: not values(issue)
    return lambda issue: bool(values(issue))


def _membership_test(
    field: JqlField, accepted: frozenset[Any], *, wanted: bool, with_empty: bool
) -> Test:
    """Return a test for one of some values; negated, it never finds an empty field."""
    values = field.values
    if wanted:
        return lambda issue: (
            not accepted.isdisjoint(found) if (found := values(issue)) else with_empty
        )

    def differs(issue: Issue) -> bool:
        found = values(issue)
        return bool(found) and accepted.isdisjoint(found)

    return differs


def _comparison_test(field: JqlField, compare: Callable[[Any, Any], bool], limit: object) -> Test:
    values = field.ordered or field.values
    return lambda issue: any(compare(value, limit) for value in values(issue))


def _text_test(field: JqlField, text: str, *, wanted: bool) -> Test:
    """Return a test for every word of ``text``, or for the phrase in its quotation marks.

    A star at the end of a word matches any ending.
    """
    phrase = re.fullmatch(r'\s*"(.*)"\s*', text, re.DOTALL)
    words = [word for word in re.split(r"[^\w*]+", text) if word.strip("*")]
    texts = (
        [r"\W+".join(map(re.escape, words))]
        if phrase
        else [
            re.escape(word.rstrip("*")) + (r"\w*" if word.endswith("*") else "") for word in words
        ]
    )
    patterns = [re.compile(rf"(?<!\w){each}(?!\w)") for each in texts]
    values = field.values
    return lambda issue: (
        wanted == all(any(pattern.search(value) for value in values(issue)) for pattern in patterns)
    )


def _read_value(
    value: nodes.JqlValue, clause: nodes.Clause, field: JqlField, context: QueryContext
) -> tuple[Any, ...]:
    if isinstance(value, nodes.JqlLiteral):
        bound = field.read_bound if clause.operator in _COMPARE else None
        found = (bound or field.read)(context, clause.field, value.text)
        return found if isinstance(found, tuple) else (found,)
    assert isinstance(value, nodes.Function)
    return call(value, clause.field, field, context)
