"""Runs queries over a site, and remembers answers for as long as they stay true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ticketr.sandbox.errors import JqlError
from ticketr.sandbox.jql.fields import QueryContext
from ticketr.sandbox.jql.grammar import parse
from ticketr.sandbox.jql.plan import QueryPlan, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ticketr.sandbox.data.model import Issue
    from ticketr.sandbox.data.site import Site

MAX_LENGTH: Final = 100_000
"""The longest query that is read; one that lists 5,000 keys is half of that."""
_REMEMBERED: Final = 16


class Searcher:
    """Finds issues by JQL.

    A client walks a long answer page by page with the same query, so the last few answers
    are kept until the site changes; one that depends on the time is never kept.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._answers: dict[tuple[str, frozenset[int]], tuple[Issue, ...]] = {}
        self._revisions = (-1, -1)

    def find(self, jql: str, current: Iterable[int] = ()) -> Sequence[Issue]:
        """List the issues that match, in the order asked for, else the newest first.

        Args:
            jql: The query.
            current: IDs of issues to see as they are, however far behind the search is.

        Raises:
            JqlError: Jira would refuse the query.
        """
        revisions = (self._site.revision, self._site.search_revision)
        if self._revisions != revisions:
            self._answers.clear()
            self._revisions = revisions
        question = (jql, frozenset(current))
        if question in self._answers:
            return self._answers[question]
        if len(jql) > MAX_LENGTH:
            raise JqlError(f"The query is longer than {MAX_LENGTH} characters.")
        plan = make_plan(parse(jql), QueryContext(self._site, self._site.now()))
        found = self._run(plan, question[1])
        if plan.timeless:
            while len(self._answers) >= _REMEMBERED:
                del self._answers[next(iter(self._answers))]
            self._answers[question] = found
        return found

    def _run(self, plan: QueryPlan, current: frozenset[int]) -> tuple[Issue, ...]:
        found = [issue for issue in self._site.searchable(current).values() if plan.test(issue)]
        found.sort(key=lambda issue: -issue.id)
        for key, descending in reversed(plan.order):
            found.sort(key=key, reverse=descending)
        return tuple(found)
