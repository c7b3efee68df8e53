"""Finds the edited fields that Jira's edit screen does not have, before the first write of a push.

Such a field can be set by a transition whose screen has it; a resolution, for example.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.app.jira import Allowed, AuthenticationFailed, Rejected, ScreenField, Transition
from ticketr.app.sync.compare.comments import TextPart
from ticketr.app.sync.compare.times import ESTIMATES, TIME_TRACKING
from ticketr.app.sync.hints import nearest
from ticketr.app.sync.push.rich_text import where
from ticketr.app.sync.push.transitions import Step
from ticketr.app.sync.push.values import find_name, shown

if TYPE_CHECKING:
    from ticketr.app.sync.push.writes import IssueEdit
    from ticketr.app.sync.session import Session

#: Fields that Jira edits on every screen, or refuses for another reason; an edit of these alone asks
#: nothing. The parent is one: an edit of it is what Jira's own move to a parent sends.
_EVERYWHERE = frozenset({"summary", "description", "issuetype", "parent"})
_RESOLUTION = "resolution"


async def fields_off_screen(
    session: Session, edits: Iterable[IssueEdit]
) -> dict[str, frozenset[str]]:
    """Return the edited fields that their edit screens lack, by the keys of the issues.

    Issues of one type and status in one project have the same screen, so it is fetched once. An edit
    of the type is not checked, since the screen of the new type is not known.

    Raises:
        JiraError: A request failed.
    """
    screens: dict[tuple[str, str, str], frozenset[str] | None] = {}
    texts: dict[str, frozenset[str]] = {}
    for edit in edits:
        fields = edit.payload.fields.keys() - _EVERYWHERE
        if not fields or "issuetype" in edit.payload.fields:
            continue
        place = (edit.project, edit.type_id, edit.status)
        if place not in screens:
            screens[place] = await _edit_screen(session, edit.key)
        screen = screens[place]
        if screen is not None and (off := frozenset(fields - screen)):
            texts[edit.key] = off
    return texts


async def _edit_screen(session: Session, key: str) -> frozenset[str] | None:
    """Fetch the fields that can be edited; return None if the site does not tell."""
    try:
        return frozenset(field.id for field in await session.jira.edit_fields(key))
    except AuthenticationFailed:
        raise
    except Rejected:
        return None


def with_transition_fields(
    edit: IssueEdit, route: Iterable[Transition], off_screen: Collection[str]
) -> tuple[IssueEdit, tuple[str, ...]]:
    """Return an edit whose fields off the edit screen go with its transitions.

    Args:
        edit: The edit.
        route: The transitions to its status; none for no new status.
        off_screen: The fields that its edit screen lacks.

    Returns:
        The edit, and what is wrong with the fields that no transition takes.
    """
    steps = [Step(transition) for transition in route]
    fields = dict(edit.payload.fields)
    problems: list[str] = []
    for field in sorted(off_screen):
        at, taken = _step_with(field, steps)
        if taken is None:
            problems.append(_problem(edit, field, _remedy(field, bool(steps))))
            continue
        value, wrong = _allowed_value(fields.pop(field), taken)
        if wrong:
            problems.append(_problem(edit, field, wrong))
        steps[at] = replace(steps[at], fields={**steps[at].fields, field: value})
    payload = replace(edit.payload, fields=fields)
    return replace(edit, payload=payload, route=tuple(steps)), tuple(problems)


def _step_with(field: str, steps: list[Step]) -> tuple[int, ScreenField | None]:
    """Return the last step whose screen has a field, and the field there."""
    for at in reversed(range(len(steps))):
        for screen_field in steps[at].transition.fields:
            if screen_field.id == field:
                return at, screen_field
    return 0, None


def _allowed_value(value: object, field: ScreenField) -> tuple[object, str]:
    """Return a value that is given by its name as its ID, and what is wrong with it."""
    name = value.get("name") if isinstance(value, dict) else None
    if not isinstance(name, str) or not field.allowed:
        return value, ""
    match: Allowed | None = find_name(name, field.allowed)
    if match is None:
        names = (allowed.name for allowed in field.allowed)
        return value, f"{shown(name)} is not possible: {nearest(name, names)}"
    return {"id": match.id} if match.id else {"name": match.name}, ""


def _remedy(field: str, is_moved: bool) -> str:  # noqa: FBT001 - one of two cases
    where = "the edit screen of this ticket has no such field, so Jira would refuse it; "
    if is_moved:
        return f"{where}no transition to the new Status asks for it either"
    if field == _RESOLUTION:
        return f"{where}it is set together with a new Status whose transition asks for it"
    return f"{where}undo the edit, or have an administrator put the field there"


def _problem(edit: IssueEdit, field: str, reason: str) -> str:
    """Return what is wrong with a field, with its name, file and line."""
    fields = ESTIMATES.keys() if field == TIME_TRACKING else {field}
    parts = [value.part for value in edit.payload.values if value.field in fields]
    part = parts[0] if parts else field
    places = edit.issue.places
    if isinstance(part, TextPart):
        return f"{part.name}: {where(edit.path, places.of_text(part.name, 0))}{reason}"
    return f"{part}: {where(edit.path, places.of_field(str(part)))}{reason}"
