"""Converts a draft, or the changes of an issue, to values of Jira's fields, and checks each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.app.jira import adf
from ticketr.app.sync.compare.attachments import ATTACHMENTS, files_of
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD, CommentPart, TextPart
from ticketr.app.sync.compare.diff import DESCRIPTION_PARTS, Change, CorePart, Part
from ticketr.app.sync.compare.grafting import EditedText, PictureFile, uploads_in
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.compare.times import with_time_tracking
from ticketr.app.sync.edits.local_changes import draft_changes
from ticketr.app.sync.edits.losses import changed_texts, literal_pieces
from ticketr.app.sync.errors import nearest
from ticketr.app.sync.push.payload import IssuePayload
from ticketr.app.sync.push.rich_text import RichText, unknown_people, where
from ticketr.app.sync.push.values import BadValue, FieldSpec, NameLookup, jira_value, shown
from ticketr.app.tickets import Ticket, is_key

if TYPE_CHECKING:
    from ticketr.app.sync.push.metadata import ProjectMetadata


#: The names of lines with rules of their own.
_STATUS, _TYPE, _PARENT = "Status", "Type", "Parent"
_LONGEST_TITLE = 255
_NO_SPECS: Mapping[str, FieldSpec] = MappingProxyType({})
_NO_PICTURES: Mapping[str, PictureFile] = MappingProxyType({})
_MISFIT = (
    "Jira may refuse text that it has itself: {}. If it does, change that in Jira, or say"
    " --accept-loss to send what the file holds of it"
)


def update_payload(
    issue: Ticket,
    changes: Iterable[Change],
    field_specs: Mapping[str, FieldSpec],
    lookup: NameLookup,
    *,
    text_specs: Mapping[str, FieldSpec] = _NO_SPECS,
    texts: Iterable[EditedText] = (),
    present: Mapping[str, object] | None = None,
    path: str = "",
    pictures: Mapping[str, PictureFile] = _NO_PICTURES,
) -> IssuePayload:
    """Return the payload that sends some changes of an issue, without those of comments.

    Args:
        issue: The issue in its file.
        changes: The changes to send.
        field_specs: The fields of its type, by the names of their lines.
        lookup: Finds people and sprints by name.
        text_specs: Its rich-text fields, by the names of their sections.
        texts: The issue's rich texts that have changed, if Jira has the issue; others are
            converted.
        present: The issue's fields as Jira has them, by their IDs; None for a new issue.
        path: The issue's file, for messages that name a line.
        pictures: The files that the description shows, by their addresses.
    """
    changes = tuple(change for change in changes if not isinstance(change.part, CommentPart))
    parts = {change.part: change for change in changes}
    edited = {text.part: text for text in texts}
    criteria: Change | None = None
    uploads: Mapping[str, PictureFile] = {}
    if CorePart.DESCRIPTION in parts:
        criteria = parts.pop(CorePart.CRITERIA, None)  # both are one document
        known = edited.get(CorePart.DESCRIPTION)
        was = known.before.description if known is not None else ""
        uploads = uploads_in(issue.description, was, pictures)
    converter = _Converter(issue, edited, field_specs, text_specs, lookup, path, uploads)
    fields: dict[str, object] = {}
    problems: list[str] = []
    values: list[SentValue] = []
    status: str | None = None
    for change in parts.values():
        try:
            sent = converter.convert(change)
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
    warnings = _warnings(issue, changes, lookup, path, files_of(present or {}), pictures)
    return IssuePayload(
        with_time_tracking(fields, present or {}),
        status,
        tuple(problems),
        (*warnings, *_misfit_warnings(edited.values())),
        tuple(values),
        uploads=tuple(uploads.values()),
    )


@dataclass(frozen=True, slots=True)
class _Converter:
    """Converts the changes of one issue; the attributes are as for `update_payload`.

    Attributes:
        edited: The rich texts that have changed, by their parts.
        uploads: The files that the description shows and that Jira does not have.
    """

    issue: Ticket
    edited: Mapping[CorePart | TextPart, EditedText]
    field_specs: Mapping[str, FieldSpec]
    text_specs: Mapping[str, FieldSpec]
    lookup: NameLookup
    path: str
    uploads: Mapping[str, PictureFile]

    def convert(self, change: Change) -> dict[str, object]:
        """Return the new values by the IDs of Jira's fields; that of a status is its name.

        Raises:
            BadValue: Jira would refuse the value, or the project has no such field.
        """
        part = change.part
        if part == _STATUS:
            return {"status": {"name": _not_empty(change)}}
        if part is CorePart.TITLE:
            return {"summary": self._title()}
        if isinstance(part, CorePart):  # the acceptance criteria are a part of the description
            return {DESCRIPTION_FIELD: self._text(part, CorePart.DESCRIPTION, self.uploads)}
        if isinstance(part, TextPart):
            return {self._text_spec(part).id: self._text(part, part, {})}
        return self._field(change)

    def _title(self) -> str:
        size = len(self.issue.title)
        if size > _LONGEST_TITLE:
            raise BadValue(f"it has {size} characters; Jira takes {_LONGEST_TITLE}")
        return self.issue.title

    def _text(
        self,
        part: CorePart | TextPart,
        document: CorePart | TextPart,
        uploads: Mapping[str, PictureFile],
    ) -> dict[str, object] | None:
        """Return the document of a rich text."""
        text = RichText(part, self.issue, self.edited.get(document), self.path, uploads)
        return text.value(self.lookup)

    def _text_spec(self, part: TextPart) -> FieldSpec:
        """Return the field of a section.

        Raises:
            BadValue: There is none, or files do not keep it.
        """
        name = part.name
        spec, line = self.text_specs.get(name), where(self.path, self.issue.places.of_text(name, 0))
        if spec is not None and spec.unsupported:
            raise BadValue(f"{line}{spec.unsupported}, then pull")
        if spec is not None:
            return spec
        if name in self.field_specs and not self.field_specs[name].unsupported:
            raise BadValue(f"{line}it is not rich text; write a line {name}: below ## Fields")
        hint = "put a backslash before ## if this is a heading of the text above"
        known = nearest(name, self.text_specs)
        raise BadValue(f"{line}there is no such field of rich text here; {hint}; {known}")

    def _field(self, change: Change) -> dict[str, object]:
        """Return the value of a line in Fields."""
        if change.part == _PARENT:
            if change.new and not is_key(change.new):
                raise BadValue(f"{shown(change.new)} is not a key like PROJ-123")
            return {"parent": {"key": change.new} if change.new else None}
        if change.part == _TYPE:
            _not_empty(change)
        spec = self.field_specs.get(change.name)
        if spec is None:
            raise BadValue(self._why_no_field(change))
        if spec.unsupported:
            raise BadValue(f"{spec.unsupported}, which ticketr cannot write yet; take the line out")
        return {spec.id: jira_value(spec, change.new, self.lookup)}

    def _why_no_field(self, change: Change) -> str:
        """Say what to do about a line that names no field of the issue's type."""
        if change.name in self.text_specs:
            return f"it holds rich text; {_text_remedy(self.text_specs[change.name])}"
        if change.part == ATTACHMENTS:
            return (
                "this line only lists what Jira has; put it back, and attach files with "
                "'ticketr attachments add'"
            )
        known = [name for name, spec in self.field_specs.items() if not spec.unsupported]
        known += _STATUS, _PARENT
        return f"there is no such field here; {nearest(change.name, known)}"


def _text_remedy(field: FieldSpec) -> str:
    """Say how to write a field of rich text into a file."""
    advice = f"write it below a heading ## Field: {field.name}"
    return f"{field.unsupported}, then {advice}" if field.unsupported else advice


def _warnings(
    issue: Ticket,
    changes: Iterable[Change],
    lookup: NameLookup,
    path: str,
    files: Mapping[str, str],
    pictures: Mapping[str, PictureFile],
) -> Iterator[str]:
    """Yield a warning for each piece of Markdown that Jira gets as literal text."""
    yield from literal_pieces(issue, changes, path, files=files, pictures=pictures)
    for change, text, place in changed_texts(issue, changes):
        for line, reason in unknown_people(text, change.old_shown, lookup.mentioned):
            yield f"{change.name}: {where(path, place(line))}{reason}"


def _misfit_warnings(texts: Iterable[EditedText]) -> Iterator[str]:
    """Yield a warning for each text of which Jira has a block that it may refuse."""
    for text in texts:
        if text.misfits:
            yield f"{text.name}: {_MISFIT.format(text.misfits[0])}"


def _not_empty(change: Change) -> str:
    if not change.new:
        raise BadValue("every ticket has one; write it, or remove the line")
    return change.new


@dataclass(frozen=True, slots=True)
class _InheritedValues:
    """The values that a new sub-task takes over, and those that it cannot have.

    Attributes:
        fields: The values of Jira's fields, by field ID.
        sent: What these are in the file of the ticket.
        left_out: Why each other one is left out, with its name.
    """

    fields: dict[str, object]
    sent: tuple[Change, ...]
    left_out: tuple[str, ...]


def _convert_inherited(
    inherited: Iterable[Change],
    field_specs: Mapping[str, FieldSpec],
    lookup: NameLookup,
    kind: str,
) -> _InheritedValues:
    """Convert inherited fields; one that the sub-task cannot have is left out.

    Args:
        inherited: The fields of the ticket that the sub-task does not name.
        field_specs: The fields of the sub-task's type, by the names of their lines.
        lookup: Finds people and teams by name.
        kind: The name of the sub-task's type.
    """
    fields: dict[str, object] = {}
    sent: list[Change] = []
    left_out: list[str] = []
    for change in inherited:
        spec = field_specs.get(change.name)
        try:
            if spec is not None and spec.on_create and not spec.unsupported:
                fields[spec.id] = jira_value(spec, change.new, lookup)
                sent.append(change)
                continue
            problem = f"the create screen of a {kind} has no such field"
        except BadValue as error:
            problem = str(error)
        left_out.append(f"{change.name}: not taken over from its ticket, since {problem}")
    return _InheritedValues(fields, tuple(sent), tuple(left_out))


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
    taken = _convert_inherited(inherited, field_specs, lookup, kind.name)
    issue_type = {"id": kind.id}
    fields = {
        **taken.fields,
        "project": {"key": project},
        "issuetype": issue_type,
        **sent.fields,
    }
    needed: list[tuple[FieldSpec, Part, Callable[[FieldSpec], str]]] = [
        *((spec, spec.name, _remedy) for spec in field_specs.values()),
        *((spec, TextPart(spec.name), _text_remedy) for spec in text_specs.values()),
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
