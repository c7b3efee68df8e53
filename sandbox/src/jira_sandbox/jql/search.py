"""Run queries over a site, and cache the results until the site changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from jira_sandbox.errors import JqlError
from jira_sandbox.jql.fields import QueryContext
from jira_sandbox.jql.grammar import parse
from jira_sandbox.jql.plan import QueryPlan, make_plan

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.site import Site

#: The longest query in characters; a query that lists 5,000 keys has half of that.
MAX_LENGTH: Final = 100_000
_MOST_CACHED: Final = 16


class Searcher:
    """Finds issues by JQL.

    A client reads a long result page by page with the same query. So the last few results are
    cached until the site changes, except those that depend on the time.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._cache: dict[tuple[str, frozenset[int]], tuple[Issue, ...]] = {}
        self._revisions = (-1, -1)

    def find(self, jql: str, current: Iterable[int] = ()) -> Sequence[Issue]:
        """Return the matching issues in the query's order, by default the newest first.

        Args:
            jql: The query.
            current: IDs of issues to match in their present state, without the search lag.

        Raises:
            JqlError: Jira would refuse the query.
        """
        revisions = (self._site.revision, self._site.search_revision)
        if self._revisions != revisions:
            self._cache.clear()
            self._revisions = revisions
        key = (jql, frozenset(current))
        if key in self._cache:
            return self._cache[key]
        if len(jql) > MAX_LENGTH:
            raise JqlError(f"The query is longer than {MAX_LENGTH} characters.")
        plan = make_plan(parse(jql), QueryContext(self._site, self._site.now()))
        found = self._run(plan, key[1])
        if plan.timeless:
            while len(self._cache) >= _MOST_CACHED:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = found
        return found

    def _run(self, plan: QueryPlan, current: frozenset[int]) -> tuple[Issue, ...]:
        found = [issue for issue in self._site.searchable(current).values() if plan.test(issue)]
        found.sort(key=lambda issue: -issue.id)
        for key, descending in reversed(plan.order):
            found.sort(key=key, reverse=descending)
        return tuple(found)
