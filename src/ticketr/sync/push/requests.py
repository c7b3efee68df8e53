"""Converts drafts and changes to the fields of Jira's requests, and checks each value. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.jira import Allowed, adf
from ticketr.sync.compare.comment_parts import CommentPart
from ticketr.sync.compare.diff import DESCRIPTION_PARTS, Change, CorePart
from ticketr.sync.compare.durations import with_time_tracking
from ticketr.sync.compare.jira_attachments import ATTACHMENTS, files_of
from ticketr.sync.compare.pictures import uploads_in
from ticketr.sync.compare.sent import SentValue
from ticketr.sync.compare.text_parts import DESCRIPTION_FIELD, TextPart
from ticketr.sync.edits.literals import changed_texts, literal_pieces
from ticketr.sync.edits.local_changes import draft_changes
from ticketr.sync.hints import nearest
from ticketr.sync.push.mentions import unknown_people
from ticketr.sync.push.rich_text import RichText, where
from ticketr.sync.push.values import BadValue, FieldSpec, NameLookup, find_name, jira_value, shown
from ticketr.tickets import is_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ticketr.jira import IssueType
    from ticketr.sync.compare.diff import Part
    from ticketr.sync.compare.grafting import EditedText
    from ticketr.sync.compare.pictures import PictureFile
    from ticketr.sync.push.comment_payload import CommentPayload, CommentWrite
    from ticketr.sync.push.inherited import InheritedValues
    from ticketr.sync.push.link_payload import LinkPayload, LinkWrite
    from ticketr.tickets import Ticket

#: The names of lines with rules of their own.
_STATUS, _TYPE, _PARENT = "Status", "Type", "Parent"
_LONGEST_TITLE = 255
_NO_SPECS: Mapping[str, FieldSpec] = MappingProxyType({})
_NO_PICTURES: Mapping[str, PictureFile] = MappingProxyType({})
_MISFIT = (
    "Jira may refuse text that it has itself: {}. If it does, change that in Jira, or say"
    " --accept-loss to send what the file holds of it"
)


@dataclass(frozen=True, slots=True)
class ProjectMetadata:
    """The issue types of a project, with their fields and statuses.

    Attributes:
        types: The project's issue types.
        field_specs: The fields of each issue type, by type ID and by the name of the line.
        story_type: The type of a draft that names none.
        subtask_type: The type of a sub-task draft that names none.
        statuses: The names of the statuses of each issue type, by ID, if they were fetched.
        text_specs: The same as `field_specs` for rich-text fields, by the names of their sections.
    """

    types: tuple[IssueType, ...]
    field_specs: Mapping[str, Mapping[str, FieldSpec]]
    story_type: str = "Task"
    subtask_type: str = "Sub-task"
    statuses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text_specs: Mapping[str, Mapping[str, FieldSpec]] = field(default_factory=dict)

    def wrong_status(self, type_id: str, status: str | None) -> tuple[str, ...]:
        """Return what is wrong with the status of an issue; nothing if its type is not known."""
        names = self.statuses.get(type_id, ())
        if not status or not names or status.casefold() in {each.casefold() for each in names}:
            return ()
        kind = next((each.name for each in self.types if each.id == type_id), "ticket")
        return (f"{_STATUS}: {shown(status)} is no status of a {kind}; {nearest(status, names)}",)

    def type_of(self, name: str | None, *, subtask: bool) -> IssueType:
        """Return the type of a new issue, from the text of its ``Type`` line if there is one.

        Raises:
            BadValue: The project has no such type.
        """
        fitting = [each for each in self.types if each.subtask is subtask]
        wanted = name or (self.subtask_type if subtask else self.story_type)
        found = find_name(wanted, (Allowed(each.id, each.name) for each in fitting))
        if found is None and subtask and not name and fitting:
            return fitting[0]  # sites name their sub-task types freely
        if found is None:
            names = [each.name for each in fitting]
            what = "sub-task type" if subtask else "issue type"
            raise BadValue(
                f"{shown(wanted)} is no {what} of this project: {nearest(wanted, names)}"
            )
        return next(each for each in fitting if each.id == found.id)


@dataclass(frozen=True, slots=True)
class IssuePayload:
    """The values that a push sends of one issue.

    Attributes:
        fields: The values of Jira's fields, by field ID.
        status: The new status; None to keep the present one.
        problems: What is wrong, each with the part's name. An issue with problems is not sent.
        warnings: Which texts Jira gets in an unexpected form, each with the part's name.
        values: The value of each part, the status included; ignored in comparisons.
        comments: The comments to add or to change.
        links: The links to add or to remove.
        lost: What is lost in Jira, as the user has accepted, each with the part's name.
        uploads: The files that the description and the comments show. They are attached before
            these are sent, and their media IDs take the place of their marks in them.
        with_pictures: For a new issue whose description shows files: what is sent once it exists.
        inherited: The fields that a new sub-task takes over from its ticket.
        left_out: Which others it cannot have, each with the name and the reason.
    """

    fields: dict[str, object] = field(default_factory=dict)
    status: str | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    values: tuple[SentValue, ...] = field(default=(), compare=False)
    comments: tuple[CommentWrite, ...] = ()
    links: tuple[LinkWrite, ...] = ()
    lost: tuple[str, ...] = ()
    uploads: tuple[PictureFile, ...] = ()
    with_pictures: IssuePayload | None = None
    inherited: tuple[Change, ...] = ()
    left_out: tuple[str, ...] = ()

    def with_comments(self, found: CommentPayload) -> IssuePayload:
        """Return the same with comments."""
        uploads = {each.mark: each for each in (*self.uploads, *found.uploads)}
        return replace(self._with(found), comments=found.writes, uploads=tuple(uploads.values()))

    def with_links(self, found: LinkPayload) -> IssuePayload:
        """Return the same with links."""
        return replace(self._with(found), links=found.writes)

    def _with(self, found: CommentPayload | LinkPayload) -> IssuePayload:
        return replace(
            self,
            problems=(*self.problems, *found.problems),
            warnings=(*self.warnings, *found.warnings),
            values=(*self.values, *found.values),
            lost=(*self.lost, *found.lost),
        )


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

    Messages name the ``path``; ``elsewhere`` are the lines that hold links; ``pictures`` are the
    files that the description shows, by their addresses. They are text until the issue exists.
    ``inherited`` are the fields that a sub-task takes over; those it cannot have are left out.
    """
    try:
        kind = metadata.type_of(draft.fields.get(_TYPE), subtask=subtask)
    except BadValue as error:
        return IssuePayload(problems=(f"{_TYPE}: {error}",))
    field_specs = metadata.field_specs.get(kind.id, {})
    text_specs = metadata.text_specs.get(kind.id, {})
    not_here = {_TYPE, *elsewhere}
    uploads = uploads_in(draft.description, "", pictures)
    bare = replace(draft, description=adf.without_pictures(draft.description, uploads))
    parts = [each for each in draft_changes(bare) if each.part not in not_here]
    sent = update_payload(
        bare, parts, field_specs, lookup, text_specs=text_specs, path=path, pictures=pictures
    )
    later: IssuePayload | None = None
    if uploads:
        texts = [each for each in draft_changes(draft) if each.part in DESCRIPTION_PARTS]
        later = update_payload(draft, texts, {}, lookup, path=path, pictures=pictures)
    fields = {"project": {"key": project}, "issuetype": {"id": kind.id}, **sent.fields}
    taken: InheritedValues | None = None
    if inherited:
        from ticketr.sync.push.inherited import convert_inherited  # noqa: PLC0415 - few need it

        taken = convert_inherited(inherited, field_specs, lookup, kind.name)
        fields = {**taken.fields, **fields}
    named = {each.part for each in parts}  # `sent` has their problems
    missing = tuple(
        f"{each.name}: a {kind.name} needs one; {_remedy(each)}"
        for each in field_specs.values()
        if each.required and each.id not in fields and each.name not in named
    )
    missing += tuple(
        f"{each.name}: a {kind.name} needs one; {_text_remedy(each)}"
        for each in text_specs.values()
        if each.required and each.id not in fields and TextPart(each.name) not in named
    )
    off_screen = tuple(
        f"{each.name}: {where(path, draft.places.of_field(each.name))}the create screen of a "
        f"{kind.name} has no such field, so Jira would refuse it; write it once the ticket exists"
        for each in parts
        if (spec := field_specs.get(each.name)) is not None and not spec.on_create and each.new
    )
    problems = (*sent.problems, *off_screen, *metadata.wrong_status(kind.id, sent.status), *missing)
    if later is not None:
        problems += tuple(each for each in later.problems if each not in problems)
    values = sent.values
    if line := draft.fields.get(_TYPE):
        values += (SentValue(_TYPE, line, "issuetype", fields["issuetype"]),)
    return IssuePayload(
        fields,
        sent.status,
        problems,
        sent.warnings,
        values,
        with_pictures=later,
        inherited=taken.sent if taken else (),
        left_out=taken.left_out if taken else (),
    )


def _remedy(missing: FieldSpec) -> str:
    if missing.unsupported:
        return f"{missing.unsupported}, which ticketr cannot write yet; create the issue in Jira"
    return "add a line to its Fields"


def _text_remedy(field: FieldSpec) -> str:
    advice = f"write it below a heading ## Field: {field.name}"
    return f"{field.unsupported}, then {advice}" if field.unsupported else advice


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
    changes = tuple(each for each in changes if not isinstance(each.part, CommentPart))
    files = files_of(present or {})
    warnings = tuple(_warnings(issue, changes, lookup, path, files, pictures))
    edited = {each.part: each for each in texts}
    warnings += tuple(
        f"{each.name}: {_MISFIT.format(each.misfits[0])}"
        for each in edited.values()
        if each.misfits
    )
    fields: dict[str, object] = {}
    problems: list[str] = []
    values: list[SentValue] = []
    status: str | None = None
    by_part = {each.part: each for each in changes}
    criteria: Change | None = None
    uploads: Mapping[str, PictureFile] = {}
    if CorePart.DESCRIPTION in by_part:
        known = edited.get(CorePart.DESCRIPTION)
        was = known.before.description if known is not None else ""
        uploads = uploads_in(issue.description, was, pictures)
        criteria = by_part.pop(CorePart.CRITERIA, None)  # both are one document
    for change in by_part.values():
        sent: dict[str, object] = {}
        try:
            if change.part == _STATUS:
                status = _not_empty(change)
                values.append(SentValue(_STATUS, change.new, "status", {"name": status}))
            elif change.part is CorePart.TITLE:
                sent = {"summary": _title(issue)}
            elif isinstance(change.part, CorePart):
                text = RichText(change.part, issue, edited.get(CorePart.DESCRIPTION), path, uploads)
                sent = {DESCRIPTION_FIELD: text.value(lookup)}
            elif isinstance(change.part, TextPart):
                spec = _text_spec(change.part, issue, text_specs, field_specs, path)
                text = RichText(change.part, issue, edited.get(change.part), path)
                sent = {spec.id: text.value(lookup)}
            else:
                sent = _field(change, field_specs, text_specs, lookup)
        except BadValue as error:
            problems.append(f"{change.name}: {error}")
        fields |= sent
        values += (SentValue(change.part, change.new, *each) for each in sent.items())
    if criteria is not None:
        values += [
            replace(each, part=criteria.part, text=criteria.new)
            for each in values
            if each.part is CorePart.DESCRIPTION
        ]
    fields = with_time_tracking(fields, present or {})
    return IssuePayload(
        fields,
        status,
        tuple(problems),
        warnings,
        tuple(values),
        uploads=tuple(uploads.values()),
    )


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


def _not_empty(change: Change) -> str:
    if not change.new:
        raise BadValue("every ticket has one; write it, or remove the line")
    return change.new


def _title(issue: Ticket) -> str:
    if len(issue.title) > _LONGEST_TITLE:
        raise BadValue(f"it has {len(issue.title)} characters; Jira takes {_LONGEST_TITLE}")
    return issue.title


def _text_spec(
    part: TextPart,
    issue: Ticket,
    text_specs: Mapping[str, FieldSpec],
    field_specs: Mapping[str, FieldSpec],
    path: str,
) -> FieldSpec:
    """Return the field of a section.

    Raises:
        BadValue: There is none, or files do not keep it.
    """
    spec, at = text_specs.get(part.name), where(path, issue.places.of_text(part.name, 0))
    if spec is not None and spec.unsupported:
        raise BadValue(f"{at}{spec.unsupported}, then pull")
    if spec is not None:
        return spec
    if part.name in field_specs and not field_specs[part.name].unsupported:
        raise BadValue(f"{at}it is no rich text; write a line {part.name}: below ## Fields")
    hint = "put a backslash before ## if this is a heading of the text above"
    known = nearest(part.name, text_specs)
    raise BadValue(f"{at}there is no such field of rich text here; {hint}; {known}")


def _field(
    change: Change,
    field_specs: Mapping[str, FieldSpec],
    text_specs: Mapping[str, FieldSpec],
    lookup: NameLookup,
) -> dict[str, object]:
    if change.part == _PARENT:
        if change.new and not is_key(change.new):
            raise BadValue(f"{shown(change.new)} is no key like PROJ-123")
        return {"parent": {"key": change.new} if change.new else None}
    if change.part == _TYPE:
        _not_empty(change)
    kind = field_specs.get(change.name)
    if kind is None and change.name in text_specs:
        raise BadValue(f"it holds rich text; {_text_remedy(text_specs[change.name])}")
    if kind is not None and kind.unsupported:
        raise BadValue(f"{kind.unsupported}, which ticketr cannot write yet; take the line out")
    if kind is None and change.part == ATTACHMENTS:
        raise BadValue(
            "this line only lists what Jira has; put it back, and attach files with "
            "'ticketr attachments add'"
        )
    if kind is None:
        known = [name for name, each in field_specs.items() if not each.unsupported]
        known += _STATUS, _PARENT
        raise BadValue(f"there is no such field here; {nearest(change.name, known)}")
    return {kind.id: jira_value(kind, change.new, lookup)}
