"""Finds sections that an earlier version took for a part of the description. Pure.

Before rich-text fields had sections, a line ``## Field: Name`` was a heading of the description, and
was in files without a backslash. Such a line means the same until its ticket is written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ticketr.app.jira.adf import to_adf
from ticketr.app.jira.models import Issue
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD
from ticketr.app.tickets import Ticket, field_heading, fold_texts

#: How the text of such a heading begins.
_FIELD = "Field:"


def has_texts(ticket: Ticket) -> bool:
    """Return whether a ticket, or one of its sub-tasks, has rich-text fields."""
    return any(issue.texts for issue in (ticket, *ticket.tasks))


def earlier_names(issue: Ticket, description: object) -> frozenset[str]:
    """Return the names of sections that are headings of the description in Jira.

    Args:
        issue: The issue at the last sync or in its file.
        description: Its description at the last sync, in Jira's form.
    """
    there = {text for text in _headings(description) if text.startswith(_FIELD)}
    if not there or not issue.texts:
        return frozenset()
    # A heading that this version wrote is in the description, where it had a backslash.
    lines = issue.description.split("\n")
    headings = {name: field_heading(name) for name in issue.texts}
    return frozenset(
        name
        for name, heading in headings.items()
        if heading not in lines and not there.isdisjoint(_headings(to_adf(heading)))
    )


def fold_earlier_texts(
    base: Ticket, local: Ticket, known: Iterable[Issue]
) -> tuple[Ticket, Ticket]:
    """Return the ticket at the last sync, and in its file, with such sections in the description.

    Args:
        base: The ticket at the last sync.
        local: The ticket in its file.
        known: Its issues at the last sync, in Jira's terms.
    """
    if not (has_texts(base) or has_texts(local)):
        return base, local
    descriptions = {issue.key: issue.fields.get(DESCRIPTION_FIELD) for issue in known}
    return _fold_sections(base, descriptions), _fold_sections(local, descriptions)


def _fold_sections(ticket: Ticket, descriptions: Mapping[str, object]) -> Ticket:
    """Return a ticket whose earlier sections are in the descriptions."""

    def folded(issue: Ticket) -> Ticket:
        names = earlier_names(issue, descriptions.get(issue.key or ""))
        return fold_texts(issue, names) if names else issue

    return replace(folded(ticket), tasks=tuple(map(folded, ticket.tasks)))


def _headings(document: object) -> Iterator[str]:
    """Yield the texts of a document's own headings."""
    content = document.get("content") if isinstance(document, dict) else None
    for node in content if isinstance(content, list) else ():
        if isinstance(node, dict) and node.get("type") == "heading":
            parts = node.get("content")
            yield "".join(
                str(part.get("text", ""))
                for part in (parts if isinstance(parts, list) else ())
                if isinstance(part, dict)
            ).strip()
