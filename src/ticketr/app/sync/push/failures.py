"""Says why an issue was not pushed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ticketr.app.jira import JiraError, Rejected
from ticketr.app.sync.hints import with_field_names
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.push.transitions import NoTransition
from ticketr.app.tickets import Ticket


def failure_note(
    issue: Ticket,
    path: str,
    error: JiraError | NoTransition,
    names: Iterable[tuple[str, str]] = (),
) -> Note:
    """Return a note that says why an issue was not pushed.

    Args:
        issue: The issue.
        path: Its file.
        error: The error.
        names: The names of lines and sections with the IDs of their fields, by which Jira names
            fields.
    """
    if isinstance(error, NoTransition):
        return Note.on(issue, path, f"Status: {error}", Code.NO_TRANSITION)
    code = Code.REFUSED if isinstance(error, Rejected) else Code.UNREACHED
    names = tuple(names)
    words = (with_field_names(str(error), names), *_refused_sections(issue, path, error, names))
    return Note.on(issue, path, "; ".join(words), code)


def _refused_sections(
    issue: Ticket, path: str, error: JiraError, names: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Yield the place of each section whose field Jira refuses."""
    refused = {name for name, _ in error.field_errors} if isinstance(error, Rejected) else set()
    for name, field_id in names:
        if field_id in refused and (line := issue.places.of_text(name, 0)):
            yield f"{name} is in {path}:{line}"


def on_the_way(failure: Note, reached: str, status: str | None) -> Note:
    """Return a note with the present status of an issue that has not reached its new one."""
    reason = (
        f'it is in "{reached}" now, and not yet in "{status}"; the next push goes on from there: '
        f"{failure.reason}"
    )
    return replace(failure, reason=reason)


def longer_way(way: str) -> str:
    """Return why an issue is not moved: the user has not seen the way to its status."""
    return f"the plan did not show the way to its status: {way}; push again to confirm it"
