"""Keeps the Markdown of descriptions that have not changed in Jira since the last sync. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.jira.adf import canonical
from ticketr.sync.compare.diff import by_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ticketr.jira.models import Issue
    from ticketr.tickets import Ticket


def keep_wording(
    ticket: Ticket, issues: Iterable[Issue], *, base: Ticket, known: Iterable[Issue]
) -> Ticket:
    """Return a ticket with the old Markdown of descriptions whose ADF has not changed.

    Another version of this program may convert the same ADF to other Markdown.

    Args:
        ticket: The ticket as Jira has it now.
        issues: Its issues, likewise.
        base: The ticket at the last sync.
        known: Its issues at the last sync.
    """
    before = {each.id: each for each in known}
    same = {
        issue.key
        for issue in issues
        if issue.id in before and _description(issue) == _description(before[issue.id])
    }
    old = by_key(base)

    def reworded(issue: Ticket) -> Ticket:
        text = old.get(issue.key or "") if issue.key in same else None
        if text is None:
            return issue
        return replace(
            issue, description=text.description, acceptance_criteria=text.acceptance_criteria
        )

    return replace(reworded(ticket), tasks=tuple(map(reworded, ticket.tasks)))


def _description(issue: Issue) -> object:
    return canonical(issue.fields.get("description"))
