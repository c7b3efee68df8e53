"""Converts the changes of an issue to values of Jira's fields, and checks each value. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.app.sync.compare.attachments import ATTACHMENTS, files_of
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD, CommentPart, TextPart
from ticketr.app.sync.compare.diff import Change, CorePart
from ticketr.app.sync.compare.grafting import PictureFile, uploads_in
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.compare.times import with_time_tracking
from ticketr.app.sync.edits.literals import changed_texts, literal_pieces
from ticketr.app.sync.hints import nearest
from ticketr.app.sync.push.payload import IssuePayload
from ticketr.app.sync.push.rich_text import RichText, unknown_people, where
from ticketr.app.sync.push.values import BadValue, FieldSpec, NameLookup, jira_value, shown
from ticketr.app.tickets import Ticket, is_key

if TYPE_CHECKING:
    from ticketr.app.sync.compare.grafting import EditedText

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
            return f"it holds rich text; {text_remedy(self.text_specs[change.name])}"
        if change.part == ATTACHMENTS:
            return (
                "this line only lists what Jira has; put it back, and attach files with "
                "'ticketr attachments add'"
            )
        known = [name for name, spec in self.field_specs.items() if not spec.unsupported]
        known += _STATUS, _PARENT
        return f"there is no such field here; {nearest(change.name, known)}"


def text_remedy(field: FieldSpec) -> str:
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
