"""Keeps the Markdown of descriptions that have not changed in Jira since the last sync. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.jira.adf import canonical
from ticketr.sync.compare.diff import by_key
from ticketr.sync.compare.jira_comments import jira_comments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ticketr.jira.models import Issue
    from ticketr.tickets import Comment, Ticket


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
    comments = {
        issue.key: found
        for issue in issues
        if issue.id in before and (found := _same_comments(issue, before[issue.id]))
    }
    old = by_key(base)

    def reworded(issue: Ticket) -> Ticket:
        text = old.get(issue.key or "")
        if text is None:
            return issue
        if found := comments.get(issue.key or ""):
            issue = replace(issue, comments=tuple(_reworded(issue.comments, text.comments, found)))
        if issue.key not in same:
            return issue
        return replace(
            issue, description=text.description, acceptance_criteria=text.acceptance_criteria
        )

    return replace(reworded(ticket), tasks=tuple(map(reworded, ticket.tasks)))


def _same_comments(issue: Issue, known: Issue) -> set[str]:
    """Return the numbers of the comments whose ADF has not changed."""
    before = {each.id: each.body for each in jira_comments(known.fields)}
    return {
        each.id
        for each in jira_comments(issue.fields)
        if each.id in before and _is_same(each.body, before[each.id])
    }


def _is_same(one: object, other: object) -> bool:
    return one == other or canonical(one) == canonical(other)


def _reworded(
    comments: Iterable[Comment], old: Iterable[Comment], same: Collection[str]
) -> Iterator[Comment]:
    texts = {each.id: each.text for each in old if each.id in same}
    for each in comments:
        yield replace(each, text=texts.get(each.id, each.text))


def _description(issue: Issue) -> object:
    return canonical(issue.fields.get("description"))
