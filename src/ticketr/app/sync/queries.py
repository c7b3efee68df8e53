"""Queries for issues, in JQL. Pure."""

from __future__ import annotations

import math
import re

#: Minutes that a search for changes looks back beyond the last pull: Jira's index lags behind.
OVERLAP = 5

_ORDER_BY = re.compile(r"\border\s+by\b(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)", re.IGNORECASE)


def base_query(project: str | None, jql: str | None) -> str:
    """Write the query for a pull, without an order of its own.

    Args:
        project: A project's key; not used if ``jql`` is given.
        jql: The user's own query. Its ORDER BY is removed, since it has no effect on files.
    """
    if jql is None:
        return f'project = "{project}"'
    order = _ORDER_BY.search(jql)
    return jql[: order.start()].strip() if order else jql.strip()


def in_order(query: str) -> str:
    """Ask for the issues of a query in an order that does not change while pages are read."""
    return f"{query} ORDER BY key ASC"


def changed_since(query: str, *, seen: float, now: float) -> str:
    """Ask for the issues of a query that have changed since a moment of Jira's clock.

    The span is counted back from Jira's own present, so neither this computer's clock nor a
    time zone matters.
    """
    minutes = max(0, math.ceil((now - seen) / 60)) + OVERLAP
    return f"({query}) AND updated >= -{minutes}m ORDER BY key ASC"
