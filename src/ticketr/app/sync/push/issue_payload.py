"""Converts a draft, or the changes of an issue, to values of Jira's fields, and checks each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.app.jira import adf
from ticketr.app.sync.compare.attachments import ATTACHMENTS, files_of
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD
from ticketr.app.sync.compare.diff import (
    DESCRIPTION_PARTS,
    Change,
    CommentPart,
    CorePart,
    Part,
    TextPart,
)
from ticketr.app.sync.compare.grafting import EditedText, PictureFile, uploads_in
from ticketr.app.sync.compare.mapping import PARENT
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.compare.times import with_time_tracking
from ticketr.app.sync.edits.local_changes import draft_changes
from ticketr.app.sync.edits.losses import changed_texts, literal_pieces, title_problem
from ticketr.app.sync.errors import nearest
from ticketr.app.sync.push.payload import IssuePayload, KnownIssue, comment_payload, link_payload
from ticketr.app.sync.push.rich_text import RichText, unknown_people, where
from ticketr.app.sync.push.values import BadValue, FieldSpec, jira_value, shown
from ticketr.app.tickets import is_key

if TYPE_CHECKING:
    from ticketr.app.jira import IssueType
    from ticketr.app.sync.push.metadata import ProjectMetadata


#: The names of lines with rules of their own.
_STATUS, _TYPE = "Status", "Type"
_MISFIT = (
    "Jira may refuse text that it has itself: {}. If it does, change that in Jira, or say"
    " --accept-loss to send what the file holds of it"
)


def update_payload(known: KnownIssue, changes: Sequence[Change]) -> IssuePayload:
    """Return the payload that sends some changes of an issue.

    Args:
        known: The issue; see `KnownIssue`.
        changes: The changes to send.
    """
    comments, links = comment_payload(known, changes), link_payload(known, changes)
    return _field_payload(known, changes).plus(comments).plus(links)


def _field_payload(known: KnownIssue, changes: Iterable[Change]) -> IssuePayload:
    """Return what is sent of the changes that are neither comments nor links."""
    changes = [
        change
        for change in changes
        if not isinstance(change.part, CommentPart) and not known.link_direction(change.part)
    ]
    parts = {change.part: change for change in changes}
    edited = {text.part: text for text in known.texts}
    criteria: Change | None = None
    uploads: Mapping[str, PictureFile] = {}
    if CorePart.DESCRIPTION in parts:
        criteria = parts.pop(CorePart.CRITERIA, None)  # both are one document
        text = edited.get(CorePart.DESCRIPTION)
        was = text.before.description if text is not None else ""
        uploads = uploads_in(known.issue.description, was, known.pictures)
    fields: dict[str, object] = {}
    problems: list[str] = []
    values: list[SentValue] = []
    status: str | None = None
    for change in parts.values():
        try:
            sent = _converted(known, change, edited, uploads)
        except BadValue as error:
            problems.append(f"{change.name}: {error}")
            continue
        if change.part == _STATUS:
            status = change.new  # sent by transitions
        else:
            fields |= sent
        values += (SentValue(change.part, change.new, *item) for item in sent.items())
    if criteria is not None:
        values += [
            replace(value, part=criteria.part, text=criteria.new)
            for value in values
            if value.part is CorePart.DESCRIPTION
        ]
    return IssuePayload(
        with_time_tracking(fields, known.present),
        status,
        tuple(problems),
        tuple(_warnings(known, changes)),
        tuple(values),
        uploads=tuple(uploads.values()),
    )


def _converted(
    known: KnownIssue,
    change: Change,
    edited: Mapping[CorePart | TextPart, EditedText],
    uploads: Mapping[str, PictureFile],
) -> dict[str, object]:
    """Return the new values by the IDs of Jira's fields; that of a status is its name.

    Args:
        known: The issue.
        change: The change.
        edited: The rich texts that have changed, by their parts.
        uploads: The files that the description shows and that Jira does not have.

    Raises:
        BadValue: Jira would refuse the value, or the project has no such field.
    """
    part, issue = change.part, known.issue
    if part == _STATUS:
        return {"status": {"name": _not_empty(change)}}
    if part is CorePart.TITLE:
        if problem := title_problem(issue.title):
            raise BadValue(problem)
        return {"summary": issue.title}
    if isinstance(part, CorePart):  # the acceptance criteria are a part of the description
        text = RichText(part, issue, edited.get(CorePart.DESCRIPTION), known.path, uploads)
        return {DESCRIPTION_FIELD: text.value(known.lookup)}
    if isinstance(part, TextPart):
        spec = _text_spec(known, part)
        text = RichText(part, issue, edited.get(part), known.path)
        return {spec.id: text.value(known.lookup)}
    return _field_value(known, change)


def _text_spec(known: KnownIssue, part: TextPart) -> FieldSpec:
    """Return the field of a section.

    Raises:
        BadValue: There is none, or files do not keep it.
    """
    name, specs = part.name, known.field_specs
    spec = known.text_specs.get(name)
    line = where(known.path, known.issue.places.of_text(name, 0))
    if spec is not None and spec.unsupported:
        raise BadValue(f"{line}{spec.unsupported}, then pull")
    if spec is not None:
        return spec
    if name in specs and not specs[name].unsupported:
        raise BadValue(f"{line}it is not rich text; write a line {name}: below ## Fields")
    hint = "put a backslash before ## if this is a heading of the text above"
    names = nearest(name, known.text_specs)
    raise BadValue(f"{line}there is no such field of rich text here; {hint}; {names}")


def _field_value(known: KnownIssue, change: Change) -> dict[str, object]:
    """Return the value of a line in Fields."""
    if change.part == PARENT:
        if change.new and not is_key(change.new):
            nor = ", nor the title of one draft in its file" if known.issue.key is None else ""
            raise BadValue(f"{shown(change.new)} is not a key like PROJ-123{nor}")
        return {"parent": {"key": change.new} if change.new else None}
    if change.part == _TYPE:
        _not_empty(change)
    spec = known.field_specs.get(change.name)
    if spec is None:
        raise BadValue(_why_no_field(known, change))
    if spec.unsupported:
        raise BadValue(f"{spec.unsupported}, which ticketr cannot write yet; take the line out")
    return {spec.id: jira_value(spec, change.new, known.lookup)}


def _why_no_field(known: KnownIssue, change: Change) -> str:
    """Say what to do about a line that names no field of the issue's type."""
    if change.name in known.text_specs:
        return f"it holds rich text; {_text_remedy(known.text_specs[change.name])}"
    if change.part == ATTACHMENTS:
        return (
            "this line only lists what Jira has; put it back, and attach files with "
            "'ticketr attachments add'"
        )
    names = [name for name, spec in known.field_specs.items() if not spec.unsupported]
    names += _STATUS, PARENT
    return f"there is no such field here; {nearest(change.name, names)}"


def _text_remedy(field: FieldSpec) -> str:
    """Say how to write a field of rich text into a file."""
    advice = f"write it below a heading ## Field: {field.name}"
    return f"{field.unsupported}, then {advice}" if field.unsupported else advice


def _warnings(known: KnownIssue, changes: Sequence[Change]) -> Iterator[str]:
    """Yield a warning for each piece of Markdown that Jira gets as literal text, or may refuse."""
    issue, path, files = known.issue, known.path, files_of(known.present)
    yield from literal_pieces(issue, changes, path, files=files, pictures=known.pictures)
    for change, text, place in changed_texts(issue, changes):
        for line, reason in unknown_people(text, change.old_shown, known.lookup.mentioned):
            yield f"{change.name}: {where(path, place(line))}{reason}"
    for edited in known.texts:
        if edited.misfits:
            yield f"{edited.name}: {_MISFIT.format(edited.misfits[0])}"


def _not_empty(change: Change) -> str:
    if not change.new:
        raise BadValue("every ticket has one; write it, or remove the line")
    return change.new


def create_payload(
    known: KnownIssue,
    metadata: ProjectMetadata,
    *,
    project: str,
    subtask: bool,
    inherited: Iterable[Change] = (),
) -> IssuePayload:
    """Return the payload that creates an issue, without its parent.

    Pictures of files are sent as text until the issue exists.

    Args:
        known: The draft; see `KnownIssue`. The fields of its type are those of the project.
        metadata: The issue types of the project.
        project: The key of the project.
        subtask: Whether the draft is a sub-task.
        inherited: The fields that a sub-task takes over; those it cannot have are left out.
    """
    draft, changes = known.issue, draft_changes(known.issue)
    try:
        kind = metadata.type_of(draft.fields.get(_TYPE), subtask=subtask)
    except BadValue as error:
        own = IssuePayload(problems=(f"{_TYPE}: {error}",))
    else:
        field_specs = metadata.field_specs.get(kind.id, {})
        text_specs = metadata.text_specs.get(kind.id, {})
        known = replace(known, field_specs=field_specs, text_specs=text_specs)
        sent = _draft_payload(known, kind, _inherited_payload(known, inherited, kind.name), project)
        wrong = metadata.wrong_status(kind.id, sent.status)
        own = replace(sent, problems=tuple(dict.fromkeys((*sent.problems, *wrong))))
    return own.plus(comment_payload(known, changes)).plus(link_payload(known, changes))


def _draft_payload(
    known: KnownIssue, kind: IssueType, taken: IssuePayload, project: str
) -> IssuePayload:
    """Return what is sent of a draft but its comments and links.

    Args:
        known: The draft.
        kind: Its type.
        taken: What it takes over from its ticket.
        project: The key of its project.
    """
    draft, named = known.issue, known.issue.fields.get(_TYPE)
    uploads = uploads_in(draft.description, "", known.pictures)
    bare = replace(draft, description=adf.without_pictures(draft.description, uploads))
    parts = {
        change.part: change
        for change in draft_changes(bare)
        if change.part != _TYPE and not known.link_direction(change.part)
    }
    sent = _field_payload(replace(known, issue=bare), parts.values())
    issue_type = {"id": kind.id}
    fields = {
        **taken.fields,
        "project": {"key": project},
        "issuetype": issue_type,
        **sent.fields,
    }
    texts = [change for change in draft_changes(draft) if change.part in DESCRIPTION_PARTS]
    later = _field_payload(known, texts) if uploads else None
    problems = (
        *sent.problems,
        *_off_screen(known, parts, kind.name),
        *_missing(known, parts, fields, kind.name),
        *(later.problems if later is not None else ()),
    )
    own = (SentValue(_TYPE, named, "issuetype", issue_type),) if named else ()
    return replace(
        taken,
        fields=fields,
        status=sent.status,
        problems=problems,
        warnings=sent.warnings,
        values=(*sent.values, *own),
        with_pictures=later,
    )


def _inherited_payload(known: KnownIssue, inherited: Iterable[Change], kind: str) -> IssuePayload:
    """Convert the fields that a sub-task takes over; leave out those that it cannot have.

    Args:
        known: The sub-task.
        inherited: The fields of the ticket that it does not name.
        kind: The name of its type.
    """
    fields: dict[str, object] = {}
    sent: list[Change] = []
    left_out: list[str] = []
    for change in inherited:
        spec = known.field_specs.get(change.name)
        try:
            if spec is not None and spec.on_create and not spec.unsupported:
                fields[spec.id] = jira_value(spec, change.new, known.lookup)
                sent.append(change)
                continue
            problem = f"the create screen of a {kind} has no such field"
        except BadValue as error:
            problem = str(error)
        left_out.append(f"{change.name}: not taken over from its ticket, since {problem}")
    return IssuePayload(fields, inherited=tuple(sent), left_out=tuple(left_out))


def _missing(
    known: KnownIssue, parts: Collection[Part], fields: Collection[str], kind: str
) -> Iterator[str]:
    """Yield a problem for each line or section that an issue of this type needs and the draft lacks.

    Args:
        known: The draft.
        parts: The parts that it has.
        fields: The IDs of the fields that are sent.
        kind: The name of the issue type.
    """
    needed: list[tuple[FieldSpec, Part, Callable[[FieldSpec], str]]] = [
        *((spec, spec.name, _remedy) for spec in known.field_specs.values()),
        *((spec, TextPart(spec.name), _text_remedy) for spec in known.text_specs.values()),
    ]
    for spec, part, remedy in needed:
        # A part that the draft has and Jira would refuse is reported already.
        if spec.required and spec.id not in fields and part not in parts:
            yield f"{spec.name}: a {kind} needs one; {remedy(spec)}"


def _off_screen(known: KnownIssue, parts: Mapping[Part, Change], kind: str) -> Iterator[str]:
    """Yield a problem for each line whose field the create screen does not have."""
    for part in parts.values():
        spec = known.field_specs.get(part.name)
        if spec is not None and not spec.on_create and part.new:
            place = where(known.path, known.issue.places.of_field(part.name))
            yield (
                f"{part.name}: {place}the create screen of a {kind} has no such field, so Jira would"
                " refuse it; write it once the ticket exists"
            )


def _remedy(missing: FieldSpec) -> str:
    if missing.unsupported:
        return f"{missing.unsupported}, which ticketr cannot write yet; create the issue in Jira"
    return "add a line to its Fields"
