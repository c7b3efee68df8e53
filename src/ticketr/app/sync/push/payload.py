"""What a push sends of a draft, or of the changes of an issue, as values of Jira's fields. Pure.

Each value is checked, and so are comments and links.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from ticketr.app.jira import adf
from ticketr.app.sync.compare import diff, grafting, mapping
from ticketr.app.sync.compare.attachments import ATTACHMENTS_LINE_NAME, media_ids_by_name
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD, AdfComment, jira_comments
from ticketr.app.sync.compare.grafting import GraftedAdf, PictureToAttach, uploads_in
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.compare.times import ESTIMATE_KEY_BY_ID, with_time_tracking
from ticketr.app.sync.edits import losses
from ticketr.app.sync.edits.local_changes import draft_changes
from ticketr.app.sync.errors import suggest_or_list
from ticketr.app.sync.push import rich_text
from ticketr.app.sync.push.values import (
    BadValue,
    FieldSpec,
    LinkDirection,
    NameLookup,
    jira_value,
    short_quote,
)
from ticketr.app.tickets import Ticket, is_key

if TYPE_CHECKING:
    from ticketr.app.jira import IssueType
    from ticketr.app.sync.push.metadata import ProjectIssueTypes


_COMMENTS_OFF_REASON = (
    "this workspace keeps no comments; write comments = true into ticketr.toml, then pull"
)


@dataclass(frozen=True, slots=True)
class CommentAddOrEdit:
    """A comment to add or to change.

    Attributes:
        part: Which one.
        text: Its text in the file.
        body: What is sent, as ADF.
        visibility: Who may see it, as Jira has it.
    """

    part: diff.CommentPart
    text: str
    body: Mapping[str, object]
    visibility: object = None


@dataclass(frozen=True, slots=True)
class LinkWrite:
    """A link to add or to remove.

    Attributes:
        line_name: The name of its line.
        key: The issue at the other end.
        direction: What the line stands for.
        id_to_remove: The ID of the link to remove; empty to add one.
    """

    line_name: str
    key: str
    direction: LinkDirection
    id_to_remove: str = ""


@dataclass(frozen=True, slots=True)
class IssuePayload:
    """The values that a push sends of one issue.

    Attributes:
        fields: The values of Jira's fields, by field ID.
        status: The new status; None to keep the present one.
        problems: What is wrong, each with the part's name. An issue with problems is not sent.
        literal_text_warnings: Which texts Jira gets in an unexpected form, each with the part's
            name.
        values: The value of each part, the status included; ignored in comparisons.
        comments: The comments to add or to change.
        links: The links to add or to remove.
        pictures_to_attach: The files that the description and the comments show. They are attached
            before these are sent, and their media IDs take the place of their marks in them.
        description_once_created: For a new issue whose description shows files: what is sent once
            it exists.
        inherited: The fields that a new sub-task takes over from its ticket.
        inheritance_problems: Which others it cannot have, each with the name and the reason.
    """

    fields: dict[str, object] = field(default_factory=dict)
    status: str | None = None
    problems: tuple[str, ...] = ()
    literal_text_warnings: tuple[str, ...] = ()
    values: tuple[SentValue, ...] = field(default=(), compare=False)
    comments: tuple[CommentAddOrEdit, ...] = ()
    links: tuple[LinkWrite, ...] = ()
    pictures_to_attach: tuple[grafting.PictureToAttach, ...] = ()
    description_once_created: IssuePayload | None = None
    inherited: tuple[diff.Change, ...] = ()
    inheritance_problems: tuple[str, ...] = ()

    def merged_with(self, part: IssuePayload) -> IssuePayload:
        """Return the same with the parts of another payload of the issue."""
        pictures = (*self.pictures_to_attach, *part.pictures_to_attach)
        return replace(
            self,
            fields={**self.fields, **part.fields},
            status=self.status if part.status is None else part.status,
            problems=(*self.problems, *part.problems),
            literal_text_warnings=(*self.literal_text_warnings, *part.literal_text_warnings),
            values=(*self.values, *part.values),
            comments=(*self.comments, *part.comments),
            links=(*self.links, *part.links),
            pictures_to_attach=tuple({file.fake_media_id: file for file in pictures}.values()),
        )


@dataclass(frozen=True, slots=True)
class PayloadContext:
    """An issue in its file, and what is known to convert its changes.

    Attributes:
        issue: The issue.
        lookup: Finds people, sprints, teams and links by name.
        specs: The fields of its type, by their lines and sections.
        path: Its file, for messages that name a line.
        jira_fields: Its fields as Jira has them, by their IDs; empty for a new issue.
        edited_texts: Its rich texts that have changed, if Jira has the issue; others are converted.
        pictures_by_address: The files on disk that its texts show, by their addresses.
        are_comments_in_files: Whether files hold comments.
    """

    issue: Ticket
    lookup: NameLookup
    specs: Mapping[diff.Part, FieldSpec] = field(default_factory=dict)
    path: str = ""
    jira_fields: Mapping[str, object] = field(default_factory=dict)
    edited_texts: tuple[grafting.GraftedAdf, ...] = ()
    pictures_by_address: Mapping[str, grafting.PictureToAttach] = field(default_factory=dict)
    are_comments_in_files: bool = False


def _comment_payload(
    context: PayloadContext, part: diff.CommentPart, change: diff.Change
) -> IssuePayload:
    """Convert a comment and check it; return what is sent of it.

    Raises:
        BadValue: It cannot be sent.
    """
    if not context.are_comments_in_files:
        raise BadValue(_COMMENTS_OFF_REASON)
    comment = None if part.is_new else _require_own_comment(context, part.id)
    uploads = grafting.uploads_in(change.new, change.old, context.pictures_by_address)
    marks = grafting.fake_media_ids_by_address(uploads)
    if not change.new:
        raise BadValue("a comment needs a text; delete it in Jira, where nothing else is lost")

    line_of = losses.file_line_of_comment(context.issue, part, change.new)
    text = rich_text.with_mention_ids(change.new, context.lookup.mentions, context.path, line_of)
    sent = replace(change, new=text)

    def convert() -> dict[str, object]:
        if comment is not None:
            return losses.graft_comment(sent, comment, marks).document
        known = media_ids_by_name(context.jira_fields)
        media_ids = {**known, **{mark: mark for mark in marks.values()}}
        return adf.to_adf(adf.with_pictures_as_attachments(sent.new, marks), media_ids=media_ids)

    old, original = (
        (comment.to_file_comment().text, comment.body) if comment is not None else ("", None)
    )
    texts = [(adf.with_pictures_as_attachments(change.new, marks), old, line_of)]
    body = rich_text.checked_document(convert, texts, path=context.path, original=original)
    visibility = comment.visibility if comment is not None else None
    return IssuePayload(
        values=() if part.is_new else (SentValue(part, change.new, "comment", body),),
        comments=(CommentAddOrEdit(part, change.new, body, visibility),),
        pictures_to_attach=tuple(uploads.values()),
    )


def _require_own_comment(context: PayloadContext, number: str) -> AdfComment:
    """Return a comment in Jira; raise `BadValue` if it is not there, or not the user's."""
    comments = (comment for comment in jira_comments(context.jira_fields) if comment.id == number)
    comment = next(comments, None)
    if comment is None:
        raise BadValue("Jira does not have it here; write - new: for a new comment")
    if comment.account_id and comment.account_id != context.lookup.own_account_id:
        raise BadValue(
            f"{comment.author or 'somebody else'} wrote it, and only your own comments can be "
            "changed; put its text back, or take its lines out: the next pull writes them"
        )
    return comment


def _link_line_payload(
    context: PayloadContext, change: diff.Change, direction: LinkDirection
) -> IssuePayload:
    """Return what is sent of one line of links.

    Raises:
        BadValue: It cannot be sent.
    """
    keys = mapping.words_with_keys_upper(change.new)
    for key in keys:
        if not is_key(key):
            raise BadValue(f"{short_quote(key)} is not a key like PROJ-123")
        if key == context.issue.key:
            raise BadValue("a ticket cannot be linked to itself")
    gone = mapping.removed_links(context.jira_fields, change.name, change.old, change.new)
    linked = mapping.jira_links(context.jira_fields)
    there = {link.key for link in linked if link.line_name == change.name}
    return IssuePayload(
        values=(SentValue(change.part, change.new, mapping.LINK_FIELD, list(keys)),),
        links=(
            *(LinkWrite(change.name, key, direction) for key in keys if key not in there),
            *(LinkWrite(change.name, link.key, direction, link.id) for link in gone),
        ),
    )


#: The names of lines with rules of their own.
_STATUS, _TYPE = "Status", "Type"
_JIRA_MAY_REFUSE_OWN_TEXT = (
    "Jira may refuse text that it has itself: {}. If it does, change that in Jira, or say"
    " --accept-loss to send what the file holds of it"
)


def update_payload(context: PayloadContext, changes: Iterable[diff.Change]) -> IssuePayload:
    """Return the payload that sends some changes of an issue, and what is wrong with them.

    Args:
        context: The issue; see `PayloadContext`.
        changes: The changes to send.
    """
    changes = tuple(changes)
    parts = {change.part: change for change in changes}
    edited = {text.part: text for text in context.edited_texts}
    criteria: diff.Change | None = None
    uploads: Mapping[str, PictureToAttach] = {}
    if diff.CorePart.DESCRIPTION in parts:
        criteria = parts.pop(diff.CorePart.CRITERIA, None)  # both are one document
        text = edited.get(diff.CorePart.DESCRIPTION)
        was = text.before.description if text is not None else ""
        uploads = uploads_in(context.issue.description, was, context.pictures_by_address)
    warnings, pictures = tuple(_literal_warnings(context, changes)), tuple(uploads.values())
    payload = IssuePayload(literal_text_warnings=warnings, pictures_to_attach=pictures)
    for change in parts.values():
        try:
            payload = payload.merged_with(_change_payload(context, change, edited, uploads))
        except BadValue as error:
            payload = payload.merged_with(IssuePayload(problems=(f"{change.name}: {error}",)))
    values = payload.values
    if criteria is not None:
        described = (value for value in values if value.part is diff.CorePart.DESCRIPTION)
        values += tuple(
            replace(value, part=criteria.part, text=criteria.new) for value in described
        )
    fields = payload.fields
    if not ESTIMATE_KEY_BY_ID.keys().isdisjoint(fields):
        fields = with_time_tracking(fields, context.jira_fields)
    return replace(payload, fields=fields, values=values)


def _change_payload(
    context: PayloadContext,
    change: diff.Change,
    edited: Mapping[diff.CorePart | diff.RichTextPart, GraftedAdf],
    uploads: Mapping[str, PictureToAttach],
) -> IssuePayload:
    """Return what is sent of one change; see `_field_value`."""
    if isinstance(change.part, diff.CommentPart):
        return _comment_payload(context, change.part, change)
    if direction := context.lookup.link_directions.get(change.part):
        return _link_line_payload(context, change, direction)
    if change.part == _STATUS:  # sent by transitions
        value = SentValue(_STATUS, change.new, "status", {"name": _require_text(change)})
        return IssuePayload(status=change.new, values=(value,))
    field_id, sent = _field_value(context, change, edited, uploads)
    return IssuePayload(
        {field_id: sent}, values=(SentValue(change.part, change.new, field_id, sent),)
    )


def _field_value(
    context: PayloadContext,
    change: diff.Change,
    edited: Mapping[diff.CorePart | diff.RichTextPart, GraftedAdf],
    uploads: Mapping[str, PictureToAttach],
) -> tuple[str, object]:
    """Return the ID of a changed field and its new value.

    Args:
        context: The issue.
        change: The change.
        edited: The rich texts that have changed, by their parts.
        uploads: The files that the description shows and that Jira does not have.

    Raises:
        BadValue: Jira would refuse the value, or the project has no such field.
    """
    part, issue = change.part, context.issue
    if part is diff.CorePart.TITLE:
        if problem := losses.title_length_problem(issue.title):
            raise BadValue(problem)
        return "summary", issue.title
    if isinstance(part, diff.CorePart | diff.RichTextPart):
        convert = partial(rich_text.rich_text_value, issue, part, context.lookup, path=context.path)
        if isinstance(part, diff.RichTextPart):
            return _text_spec(context, part).id, convert(edited.get(part))
        # The acceptance criteria are a part of the description.
        text = edited.get(diff.CorePart.DESCRIPTION)
        return DESCRIPTION_FIELD, convert(text, uploads=uploads)
    if part == mapping.PARENT_LINE_NAME:
        return "parent", _parent_value(context, change)
    if part == _TYPE:
        _require_text(change)
    spec = context.specs.get(part)
    if spec is None:
        raise BadValue(_unknown_field_advice(context, change))
    if spec.why_unsupported:
        raise BadValue(f"{spec.why_unsupported}, which ticketr cannot write yet; take the line out")
    return spec.id, jira_value(spec, change.new, context.lookup)


def _parent_value(context: PayloadContext, change: diff.Change) -> dict[str, str] | None:
    if change.new and not is_key(change.new):
        nor = ", nor the title of one draft in its file" if context.issue.key is None else ""
        raise BadValue(f"{short_quote(change.new)} is not a key like PROJ-123{nor}")
    return {"key": change.new} if change.new else None


def _text_spec(context: PayloadContext, part: diff.RichTextPart) -> FieldSpec:
    """Return the field of a section.

    Raises:
        BadValue: There is none, or files do not keep it.
    """
    name = part.name
    spec, plain = context.specs.get(part), context.specs.get(name)
    line = rich_text.location_prefix(context.path, context.issue.line_numbers.of_text(name, 0))
    if spec is not None and spec.why_unsupported:
        raise BadValue(f"{line}{spec.why_unsupported}, then pull")
    if spec is not None:
        return spec
    if plain is not None and not plain.why_unsupported:
        raise BadValue(f"{line}it is not rich text; write a line {name}: below ## Fields")
    hint = "put a backslash before ## if this is a heading of the text above"
    names = [text.name for text in context.specs if isinstance(text, diff.RichTextPart)]
    raise BadValue(
        f"{line}there is no such field of rich text here; {hint}; {suggest_or_list(name, names)}"
    )


def _unknown_field_advice(context: PayloadContext, change: diff.Change) -> str:
    """Say what to do about a line that names no field of the issue's type."""
    if text_spec := context.specs.get(diff.RichTextPart(change.name)):
        return f"it holds rich text; {_section_heading_hint(text_spec)}"
    if change.part == ATTACHMENTS_LINE_NAME:
        return (
            "this line only lists what Jira has; put it back, and attach files with "
            "'ticketr attachments add'"
        )
    names = [
        part
        for part, spec in context.specs.items()
        if isinstance(part, str) and not spec.why_unsupported
    ]
    names += _STATUS, mapping.PARENT_LINE_NAME
    return f"there is no such field here; {suggest_or_list(change.name, names)}"


def _section_heading_hint(field: FieldSpec) -> str:
    """Say how to write a field of rich text into a file."""
    advice = f"write it below a heading ## Field: {field.line_name}"
    return f"{field.why_unsupported}, then {advice}" if field.why_unsupported else advice


def _literal_warnings(context: PayloadContext, changes: Sequence[diff.Change]) -> Iterator[str]:
    """Yield a warning for each piece of Markdown that Jira gets as literal text, or may refuse."""
    issue, path, pictures = context.issue, context.path, context.pictures_by_address
    media_ids = media_ids_by_name(context.jira_fields)
    yield from losses.literal_reasons(issue, changes, path, media_ids=media_ids, pictures=pictures)
    mentioned = context.lookup.mentions
    for change, text, place in losses.changed_texts(issue, changes) if mentioned else ():
        for line, reason in rich_text.mention_warnings(text, change.old_with_newlines, mentioned):
            yield f"{change.name}: {rich_text.location_prefix(path, place(line))}{reason}"
    for edited in context.edited_texts:
        if edited.problems_already_in_jira:
            yield f"{edited.name}: {_JIRA_MAY_REFUSE_OWN_TEXT.format(edited.problems_already_in_jira[0])}"


def _require_text(change: diff.Change) -> str:
    if not change.new:
        raise BadValue("every ticket has one; write it, or remove the line")
    return change.new


def create_payload(
    context: PayloadContext,
    metadata: ProjectIssueTypes,
    *,
    project: str,
    subtask: bool,
    inherited: Iterable[diff.Change] = (),
) -> IssuePayload:
    """Return the payload that creates an issue, without the parent of a new sub-task.

    Pictures of files are sent as text until the issue exists.

    Args:
        context: The draft; see `PayloadContext`. The fields of its type are those of the project.
        metadata: The issue types of the project.
        project: The key of the project.
        subtask: Whether the draft is a sub-task.
        inherited: The fields that a sub-task takes over; those it cannot have are left out.
    """
    draft = context.issue
    try:
        kind = metadata.type_of(draft.fields.get(_TYPE), subtask=subtask)
    except BadValue as error:  # then it is not known which fields it has
        return IssuePayload(problems=(f"{_TYPE}: {error}",))
    context = replace(context, specs=metadata.specs_by_type_id.get(kind.id, {}))
    sent = _draft_payload(context, kind, _inherited_payload(context, inherited, kind.name), project)
    wrong = metadata.status_problems(kind.id, sent.status)
    return replace(sent, problems=tuple(dict.fromkeys((*sent.problems, *wrong))))


def _draft_payload(
    context: PayloadContext, kind: IssueType, inherited: IssuePayload, project: str
) -> IssuePayload:
    """Return what is sent of a draft.

    Args:
        context: The draft.
        kind: Its type.
        inherited: What it takes over from its ticket.
        project: The key of its project.
    """
    draft, named = context.issue, context.issue.fields.get(_TYPE)
    uploads = uploads_in(draft.description, "", context.pictures_by_address)
    bare = replace(draft, description=adf.with_pictures_as_text(draft.description, uploads))
    parts = {change.part: change for change in draft_changes(bare) if change.part != _TYPE}
    sent = update_payload(replace(context, issue=bare), parts.values())
    issue_type = {"id": kind.id}
    fields = {
        **inherited.fields,
        "project": {"key": project},
        "issuetype": issue_type,
        **sent.fields,
    }
    texts = [change for change in draft_changes(draft) if change.part in diff.DESCRIPTION_PARTS]
    later = update_payload(context, texts) if uploads else None
    problems = (
        *sent.problems,
        *_off_create_screen_problems(context, parts, kind.name),
        *_missing_field_problems(context, parts, fields, kind.name),
        *(later.problems if later is not None else ()),
    )
    own = (SentValue(_TYPE, named, "issuetype", issue_type),) if named else ()
    return replace(
        sent,
        fields=fields,
        problems=problems,
        values=(*sent.values, *own),
        description_once_created=later,
        inherited=inherited.inherited,
        inheritance_problems=inherited.inheritance_problems,
    )


def _inherited_payload(
    context: PayloadContext, inherited: Iterable[diff.Change], kind: str
) -> IssuePayload:
    """Convert the fields that a sub-task takes over; leave out those that it cannot have.

    Args:
        context: The sub-task.
        inherited: The fields of the ticket that it does not name.
        kind: The name of its type.
    """
    fields: dict[str, object] = {}
    sent: list[diff.Change] = []
    inheritance_problems: list[str] = []
    for change in inherited:
        spec = context.specs.get(change.part)
        try:
            if spec is not None and spec.is_on_create_screen and not spec.why_unsupported:
                fields[spec.id] = jira_value(spec, change.new, context.lookup)
                sent.append(change)
                continue
            problem = f"the create screen of a {kind} has no such field"
        except BadValue as error:
            problem = str(error)
        inheritance_problems.append(
            f"{change.name}: not taken over from its ticket, since {problem}"
        )
    return IssuePayload(
        fields, inherited=tuple(sent), inheritance_problems=tuple(inheritance_problems)
    )


def _missing_field_problems(
    context: PayloadContext, parts: Collection[diff.Part], fields: Collection[str], kind: str
) -> Iterator[str]:
    """Yield a problem for each line or section that an issue of this type needs and the draft lacks.

    Args:
        context: The draft.
        parts: The parts that it has.
        fields: The IDs of the fields that are sent.
        kind: The name of the issue type.
    """
    for part, spec in context.specs.items():
        # A part that the draft has and Jira would refuse is reported already.
        if spec.needed_in_draft and spec.id not in fields and part not in parts:
            remedy = _section_heading_hint if isinstance(part, diff.RichTextPart) else _remedy
            yield f"{spec.line_name}: a {kind} needs one; {remedy(spec)}"


def _off_create_screen_problems(
    context: PayloadContext, parts: Mapping[diff.Part, diff.Change], kind: str
) -> Iterator[str]:
    """Yield a problem for each line whose field the create screen does not have."""
    for change in parts.values():
        spec = context.specs.get(change.part)
        if spec is not None and not spec.is_on_create_screen and change.new:
            place = rich_text.location_prefix(
                context.path, context.issue.line_numbers.of_field(change.name)
            )
            yield (
                f"{change.name}: {place}the create screen of a {kind} has no such field, so Jira would"
                " refuse it; write it once the ticket exists"
            )


def _remedy(missing: FieldSpec) -> str:
    if why := missing.why_unsupported:
        return f"{why}, which ticketr cannot write yet; create the issue in Jira"
    return "add a line to its Fields"
