"""Converts a draft to the request that creates its issue, and checks each value. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.app.jira import adf
from ticketr.app.sync.compare.comments import TextPart
from ticketr.app.sync.compare.diff import DESCRIPTION_PARTS, Change, Part
from ticketr.app.sync.compare.grafting import PictureFile, uploads_in
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.edits.local_changes import draft_changes
from ticketr.app.sync.push.inherited import convert_inherited
from ticketr.app.sync.push.payload import IssuePayload
from ticketr.app.sync.push.rich_text import where
from ticketr.app.sync.push.update_payload import text_remedy, update_payload
from ticketr.app.sync.push.values import BadValue, FieldSpec, NameLookup
from ticketr.app.tickets import Ticket

if TYPE_CHECKING:
    from ticketr.app.sync.push.metadata import ProjectMetadata

_TYPE = "Type"
_NO_PICTURES: Mapping[str, PictureFile] = MappingProxyType({})


def create_payload(
    draft: Ticket,
    metadata: ProjectMetadata,
    lookup: NameLookup,
    *,
    project: str,
    subtask: bool,
    path: str = "",
    elsewhere: Collection[Part] = (),
    pictures: Mapping[str, PictureFile] = _NO_PICTURES,
    inherited: Sequence[Change] = (),
) -> IssuePayload:
    """Return the payload that creates an issue, without the parent, comments and links.

    Args:
        draft: The issue in its file.
        metadata: The issue types of the project.
        lookup: Finds people and sprints by name.
        project: The key of the project.
        subtask: Whether the draft is a sub-task.
        path: The draft's file, for messages that name a line.
        elsewhere: The lines that hold links, which are not sent here.
        pictures: The files that the description shows, by their addresses. They are sent as text
            until the issue exists.
        inherited: The fields that a sub-task takes over; those it cannot have are left out.
    """
    try:
        kind = metadata.type_of(draft.fields.get(_TYPE), subtask=subtask)
    except BadValue as error:
        return IssuePayload(problems=(f"{_TYPE}: {error}",))
    field_specs = metadata.field_specs.get(kind.id, {})
    text_specs = metadata.text_specs.get(kind.id, {})
    uploads = uploads_in(draft.description, "", pictures)
    bare = replace(draft, description=adf.without_pictures(draft.description, uploads))
    not_here = {_TYPE, *elsewhere}
    parts = {change.part: change for change in draft_changes(bare) if change.part not in not_here}
    sent = update_payload(
        bare,
        parts.values(),
        field_specs,
        lookup,
        text_specs=text_specs,
        path=path,
        pictures=pictures,
    )
    taken = convert_inherited(inherited, field_specs, lookup, kind.name)
    issue_type = {"id": kind.id}
    fields = {
        **taken.fields,
        "project": {"key": project},
        "issuetype": issue_type,
        **sent.fields,
    }
    needed: list[tuple[FieldSpec, Part, Callable[[FieldSpec], str]]] = [
        *((spec, spec.name, _remedy) for spec in field_specs.values()),
        *((spec, TextPart(spec.name), text_remedy) for spec in text_specs.values()),
    ]
    later = _with_pictures(draft, lookup, path, pictures) if uploads else None
    problems = (
        *sent.problems,
        *_off_screen(draft, parts, field_specs, path, kind.name),
        *metadata.wrong_status(kind.id, sent.status),
        *_missing(needed, parts, fields, kind.name),
        *(later.problems if later is not None else ()),
    )
    named = draft.fields.get(_TYPE)
    own = (SentValue(_TYPE, named, "issuetype", issue_type),) if named else ()
    return IssuePayload(
        fields,
        sent.status,
        tuple(dict.fromkeys(problems)),
        sent.warnings,
        (*sent.values, *own),
        with_pictures=later,
        inherited=taken.sent,
        left_out=taken.left_out,
    )


def _with_pictures(
    draft: Ticket, lookup: NameLookup, path: str, pictures: Mapping[str, PictureFile]
) -> IssuePayload:
    """Return the payload that sends the description with its pictures, once the issue exists."""
    texts = [change for change in draft_changes(draft) if change.part in DESCRIPTION_PARTS]
    return update_payload(draft, texts, {}, lookup, path=path, pictures=pictures)


def _missing(
    needed: Iterable[tuple[FieldSpec, Part, Callable[[FieldSpec], str]]],
    parts: Collection[Part],
    fields: Collection[str],
    kind: str,
) -> Iterator[str]:
    """Yield a problem for each line or section that an issue of this type needs and the draft lacks.

    Args:
        needed: The fields, each with its part of a file and a function that says how to mend it.
        parts: The parts that the draft has.
        fields: The IDs of the fields that are sent.
        kind: The name of the issue type.
    """
    for spec, part, remedy in needed:
        # A part that the draft has and Jira would refuse is reported already.
        if spec.required and spec.id not in fields and part not in parts:
            yield f"{spec.name}: a {kind} needs one; {remedy(spec)}"


def _off_screen(
    draft: Ticket,
    parts: Mapping[Part, Change],
    specs: Mapping[str, FieldSpec],
    path: str,
    kind: str,
) -> Iterator[str]:
    """Yield a problem for each line whose field the create screen does not have."""
    for part in parts.values():
        spec = specs.get(part.name)
        if spec is not None and not spec.on_create and part.new:
            place = where(path, draft.places.of_field(part.name))
            yield (
                f"{part.name}: {place}the create screen of a {kind} has no such field, so Jira would"
                " refuse it; write it once the ticket exists"
            )


def _remedy(missing: FieldSpec) -> str:
    if missing.unsupported:
        return f"{missing.unsupported}, which ticketr cannot write yet; create the issue in Jira"
    return "add a line to its Fields"
