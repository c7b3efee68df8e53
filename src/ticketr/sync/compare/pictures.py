"""The attached files that a text in a ticket's file shows by their names. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jira.adf import BY_NAME, is_too_long, shown_files, to_adf
from ticketr.sync.compare.diff import by_key
from ticketr.sync.compare.jira_attachments import files_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ticketr.jira.models import Issue
    from ticketr.tickets import Ticket

_SCHEME = "attachment:"


def files_shown_in(text: str) -> frozenset[str]:
    """Return the names of the attached files that the pictures in a text show."""
    if _SCHEME not in text or is_too_long(text):
        return frozenset()
    shown = shown_files(to_adf(text, files=BY_NAME))
    return frozenset(
        each.media.removeprefix(_SCHEME) for each in shown if each.media.startswith(_SCHEME)
    )


def _files_of_texts(issue: Ticket) -> frozenset[str]:
    texts = (issue.description, *issue.texts.values())
    return frozenset(name for text in texts for name in files_shown_in(text))


def unknown_files(ticket: Ticket, issues: Iterable[Issue]) -> dict[str, frozenset[str]]:
    """Return the names of files that rich texts show and whose media IDs are not known, by key.

    Args:
        ticket: The ticket in its file.
        issues: Its issues as Jira has them.
    """
    here = by_key(ticket)
    found = (
        (each.key, _files_of_texts(here[each.key]) - files_of(each.fields).keys())
        for each in issues
        if each.key in here
    )
    return {key: names for key, names in found if names}
