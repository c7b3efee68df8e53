"""The operators WAS and CHANGED: what an issue's history says about a field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.errors import JqlError
from jira_sandbox.jql import nodes
from jira_sandbox.jql.functions import call, instant_of
from jira_sandbox.jql.readers import QueryContext, read_time, read_user

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.jql.field import JqlField

_DAY_MS: Final = 86_400_000
_END_OF_TIME: Final = 2**62
_NO_VALUE: Final = "None"


@dataclass(frozen=True, slots=True)
class _Span:
    """A value that a field had for a while; `by` is the account of the user who set it."""

    value: str
    start: int
    end: int
    by: str


@dataclass(frozen=True, slots=True)
class _Window:
    """The conditions after the operator.

    Attributes:
        start: The begin of the time.
        end: The end of the time, which does not belong to it.
        by: The accounts of the users; None for anybody.
        old: The values before the change; None for any.
        new: The values after the change; None for any.
    """

    start: int
    end: int
    by: frozenset[str] | None
    old: frozenset[str] | None
    new: frozenset[str] | None


def past_test(
    clause: nodes.Clause, field: JqlField, wanted: frozenset[str], context: QueryContext
) -> Callable[[Issue], bool]:
    """Return a test of WAS, WAS IN or CHANGED, not negated.

    Args:
        clause: The clause.
        field: The field.
        wanted: The values after WAS.
        context: The context of the query.

    Raises:
        JqlError: A condition is invalid.
    """
    window = _read_window(clause, field, context)
    if clause.operator == "changed":
        return lambda issue: any(
            _is_in_window(*step, window) for step in _steps(issue, field.history)
        )

    def was(issue: Issue) -> bool:
        return any(
            span.value in wanted
            and span.start < window.end
            and span.end > window.start
            and (window.by is None or span.by in window.by)
            for span in _spans(issue, field)
        )

    return was


def _steps(issue: Issue, field: str) -> Iterator[tuple[int, str, str, str]]:
    """Return the time, the user, the old and the new value of each change."""
    for history in issue.history:
        for item in history.items:
            if item.field_id == field:
                yield history.created, history.author.account_id, str(item.old), str(item.new)


def _is_in_window(time: int, by: str, old: str, new: str, window: _Window) -> bool:
    """Return whether a change meets the conditions after the operator."""
    return (
        window.start <= time < window.end
        and (window.by is None or by in window.by)
        and (window.old is None or old in window.old)
        and (window.new is None or new in window.new)
    )


def _spans(issue: Issue, field: JqlField) -> Iterator[_Span]:
    """Return the values that a field had, one after another."""
    steps = list(_steps(issue, field.history))
    start, by = issue.created, (issue.creator or issue.reporter).account_id
    value = steps[0][2] if steps else str(next(iter(field.values(issue)), None))
    for time, author, _, new in steps:
        yield _Span(value, start, time, by)
        value, start, by = new, time, author
    yield _Span(value, start, _END_OF_TIME, by)


def _read_window(clause: nodes.Clause, field: JqlField, context: QueryContext) -> _Window:
    """Read the conditions after the operator."""
    start, end = 0, _END_OF_TIME
    people: dict[str, frozenset[str]] = {}
    for word, values in clause.predicates:
        if word in {"by", "from", "to"}:
            people[word] = frozenset(
                text
                for value in values
                for text in _read_texts(word, value, clause, field, context)
            )
            continue
        times = [_read_moment(value, clause, context) for value in values]
        if word == "after":
            start = max(start, times[0])
        elif word == "before":
            end = min(end, times[0])
        elif word == "on":
            start, end = max(start, times[0]), min(end, times[0] + _DAY_MS)
        else:
            start, end = max(start, times[0]), min(end, times[-1] + 1)
    return _Window(start, end, people.get("by"), people.get("from"), people.get("to"))


def _read_moment(value: nodes.JqlValue, clause: nodes.Clause, context: QueryContext) -> int:
    if isinstance(value, nodes.JqlLiteral):
        return read_time(context, clause.field, value.text)
    moment = instant_of(value, context) if isinstance(value, nodes.Function) else None
    if moment is not None:
        return moment
    raise JqlError(f"The field '{clause.field}' needs a date after 'AFTER' and the like.")


def _read_texts(
    word: str,
    value: nodes.JqlValue,
    clause: nodes.Clause,
    field: JqlField,
    context: QueryContext,
) -> tuple[str, ...]:
    """Return the users after BY, or the values after FROM and TO."""
    if isinstance(value, nodes.Empty):
        return (_NO_VALUE,)
    if isinstance(value, nodes.Function):
        if word == "by" and value.name.lower() == "currentuser":
            return (context.site.user.account_id,)
        return tuple(map(str, call(value, clause.field, field, context)))
    if word == "by":
        return (read_user(context, clause.field, value.text),)
    return as_texts(field.read(context, clause.field, value.text))


def as_texts(value: Any) -> tuple[str, ...]:
    """Return the result of a reader as the history writes it."""
    return tuple(map(str, value if isinstance(value, tuple) else (value,)))
