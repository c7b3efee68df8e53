"""Converts drafts and changes to the fields of Jira's requests, and checks each value. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr.jira import Allowed, adf
from ticketr.sync.compare.comment_parts import CommentPart
from ticketr.sync.compare.diff import Change, CorePart
from ticketr.sync.compare.durations import ESTIMATES
from ticketr.sync.compare.jira_attachments import ATTACHMENTS, files_of
from ticketr.sync.compare.mapping import description_adf
from ticketr.sync.compare.sent import SentValue
from ticketr.sync.edits.literals import changed_texts, literal_pieces, texts_of
from ticketr.sync.edits.local_changes import draft_changes
from ticketr.sync.hints import nearest
from ticketr.sync.push.mentions import unknown_people, with_mentions
from ticketr.sync.push.values import BadValue, FieldSpec, NameLookup, find_name, jira_value, shown
from ticketr.tickets import Ticket, is_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from ticketr.jira import IssueType
    from ticketr.sync.compare.diff import Part
    from ticketr.sync.compare.grafting import EditedDescription
    from ticketr.sync.push.comment_payload import CommentPayload, CommentWrite
    from ticketr.sync.push.link_payload import LinkPayload, LinkWrite

#: The names of lines with rules of their own.
_STATUS, _TYPE, _PARENT = "Status", "Type", "Parent"
_LONGEST_TITLE = 255
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
    """

    types: tuple[IssueType, ...]
    field_specs: Mapping[str, Mapping[str, FieldSpec]]
    story_type: str = "Task"
    subtask_type: str = "Sub-task"
    statuses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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
    """

    fields: dict[str, object] = field(default_factory=dict)
    status: str | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    values: tuple[SentValue, ...] = field(default=(), compare=False)
    comments: tuple[CommentWrite, ...] = ()
    links: tuple[LinkWrite, ...] = ()
    lost: tuple[str, ...] = ()

    def with_comments(self, found: CommentPayload) -> IssuePayload:
        """Return the same with comments."""
        return replace(self._with(found), comments=found.writes)

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
) -> IssuePayload:
    """Return the payload that creates an issue, without the parent, comments and links.

    Messages name the ``path``; ``elsewhere`` are the lines that hold links.
    """
    try:
        kind = metadata.type_of(draft.fields.get(_TYPE), subtask=subtask)
    except BadValue as error:
        return IssuePayload(problems=(f"{_TYPE}: {error}",))
    field_specs = metadata.field_specs.get(kind.id, {})
    not_here = {_TYPE, *elsewhere}
    parts = [each for each in draft_changes(draft) if each.part not in not_here]
    sent = update_payload(draft, parts, field_specs, lookup, path=path)
    fields = {"project": {"key": project}, "issuetype": {"id": kind.id}, **sent.fields}
    named = {each.part for each in parts}  # `sent` has their problems
    missing = tuple(
        f"{each.name}: a {kind.name} needs one; {_remedy(each)}"
        for each in field_specs.values()
        if each.required and each.id not in fields and each.name not in named
    )
    problems = (*sent.problems, *metadata.wrong_status(kind.id, sent.status), *missing)
    values = sent.values
    if line := draft.fields.get(_TYPE):
        values += (SentValue(_TYPE, line, "issuetype", fields["issuetype"]),)
    return IssuePayload(fields, sent.status, problems, sent.warnings, values)


def _remedy(missing: FieldSpec) -> str:
    if missing.unsupported:
        return f"{missing.unsupported}, which ticketr cannot write yet; create the issue in Jira"
    return "add a line to its Fields"


def update_payload(
    issue: Ticket,
    changes: Iterable[Change],
    field_specs: Mapping[str, FieldSpec],
    lookup: NameLookup,
    *,
    description: EditedDescription | None = None,
    present: Mapping[str, object] | None = None,
    path: str = "",
) -> IssuePayload:
    """Return the payload that sends some changes of an issue, without those of comments.

    Args:
        issue: The issue in its file.
        changes: The changes to send.
        field_specs: The fields of its type, by the names of their lines.
        lookup: Finds people and sprints by name.
        description: The issue's description with its criteria, if Jira has the issue and one of
            them has changed; None to convert them.
        present: The issue's fields as Jira has them, by their IDs; None for a new issue.
        path: The issue's file, for messages that name a line.
    """
    changes = tuple(each for each in changes if not isinstance(each.part, CommentPart))
    files = files_of(present or {})
    warnings = tuple(_warnings(issue, changes, lookup, path, files))
    if description is not None and description.misfits:
        warnings += (f"Description: {_MISFIT.format(description.misfits[0])}",)
    fields: dict[str, object] = {}
    problems: list[str] = []
    values: list[SentValue] = []
    status: str | None = None
    by_part = {each.part: each for each in changes}
    criteria: Change | None = None
    if CorePart.DESCRIPTION in by_part:
        criteria = by_part.pop(CorePart.CRITERIA, None)  # both are one document
    for change in by_part.values():
        sent: dict[str, object] = {}
        try:
            if change.part == _STATUS:
                status = _not_empty(change)
                values.append(SentValue(_STATUS, change.new, "status", {"name": status}))
            elif isinstance(change.part, CorePart):
                sent = _core_part(change.part, issue, description, lookup, path)
            else:
                sent = _field(change, field_specs, lookup)
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
    fields = _with_time_tracking(fields, present or {})
    return IssuePayload(fields, status, tuple(problems), warnings, tuple(values))


def _with_time_tracking(
    fields: dict[str, object], present: Mapping[str, object]
) -> dict[str, object]:
    """Return the fields with the estimates in the form that Jira reads.

    Jira sets the remaining estimate, too, if it gets the original one alone. So the other one goes
    with it as Jira has it.
    """
    if ESTIMATES.keys().isdisjoint(fields):
        return fields
    seconds = {each: fields[each] for each in ESTIMATES if each in fields}
    for each in ESTIMATES:
        if each not in seconds and isinstance(present.get(each), int):
            seconds[each] = present[each]
    tracking = {
        ESTIMATES[each]: f"{value // 60}m" if isinstance(value, int) else ""
        for each, value in seconds.items()
    }
    rest = {name: value for name, value in fields.items() if name not in ESTIMATES}
    return {**rest, "timetracking": tracking}


def _warnings(
    issue: Ticket,
    changes: Iterable[Change],
    lookup: NameLookup,
    path: str,
    files: Mapping[str, str],
) -> Iterator[str]:
    """Yield a warning for each piece of Markdown that Jira gets as literal text."""
    yield from literal_pieces(issue, changes, path, files=files)
    for change, text, place in changed_texts(issue, changes):
        for line, reason in unknown_people(text, change.old_shown, lookup.mentioned):
            yield f"{change.name}: {_where(path, place(line))}{reason}"


def _not_empty(change: Change) -> str:
    if not change.new:
        raise BadValue("every ticket has one; write it, or remove the line")
    return change.new


def _core_part(
    part: CorePart,
    issue: Ticket,
    description: EditedDescription | None,
    lookup: NameLookup,
    path: str,
) -> dict[str, object]:
    if part is CorePart.TITLE:
        if len(issue.title) > _LONGEST_TITLE:
            raise BadValue(f"it has {len(issue.title)} characters; Jira takes {_LONGEST_TITLE}")
        return {"summary": issue.title}
    is_whole = part is CorePart.DESCRIPTION or description is None
    named = _with_mentions(issue, lookup, path, with_description=is_whole)
    if named != issue:
        issue, description = named, description and description.with_text(named)
    texts = list(texts_of(issue, with_description=is_whole))
    size = sum(len(text) for text, _ in texts)
    # Check the length before the conversion, which takes time, and again after it.
    if adf.is_too_long(*(text for text, _ in texts)):
        raise BadValue(_too_long(size, issue, path))
    document = description_adf(issue) if description is None else description.document
    if (size := adf.length(document)) > adf.LONGEST_TEXT:
        raise BadValue(_too_long(size, issue, path))
    if gone := list(_lost(issue, texts, path, description)):
        raise BadValue(gone[0] + (f" (and {len(gone) - 1} more)" if gone[1:] else ""))
    problems = adf.problems(document) if description is None else description.problems
    if problems:
        raise BadValue(f"Jira would refuse it: {problems[0]}")
    return {"description": document if document.get("content") else None}


def _with_mentions(
    issue: Ticket, lookup: NameLookup, path: str, *, with_description: bool
) -> Ticket:
    """Return an issue in whose texts mentions by name hold account IDs."""
    if not lookup.mentioned:
        return issue

    def named(text: str, place: Callable[[int], int]) -> str:
        return with_mentions(text, lookup.mentioned, lambda line: _where(path, place(line)))

    texts = [named(*each) for each in texts_of(issue, with_description=with_description)]
    description = texts.pop(0) if with_description else issue.description
    return replace(issue, description=description, acceptance_criteria=tuple(texts))


def _where(path: str, line: int) -> str:
    return f"{path}:{line}: " if path and line else ""


def _too_long(size: int, issue: Ticket, path: str) -> str:
    line = issue.places.of_description(1) or issue.line
    where = f"{path}:{line}: " if path and line else ""
    return f"{where}it has {size} characters; Jira takes {adf.LONGEST_TEXT}"


def _lost(
    issue: Ticket,
    texts: Iterable[tuple[str, Callable[[int], int]]],
    path: str,
    description: EditedDescription | None,
) -> Iterator[str]:
    """Yield the reason for each piece of Markdown that the conversion drops, with its line.

    A piece that was there before the edit belongs to a block of Jira's, which is sent back, or is
    reported with what that loses.
    """
    was = description.before if description is not None else Ticket("")
    criteria = "\n\n".join(was.acceptance_criteria)
    for text, place in texts:
        before = was.description if text is issue.description else criteria
        for piece in adf.dropped_pieces(text, before=before):
            line = place(piece.line) if path and piece.line else 0
            yield f"{path}:{line}: {piece.reason}" if line else str(piece)


def _field(
    change: Change, field_specs: Mapping[str, FieldSpec], lookup: NameLookup
) -> dict[str, object]:
    if change.part == _PARENT:
        if change.new and not is_key(change.new):
            raise BadValue(f"{shown(change.new)} is no key like PROJ-123")
        return {"parent": {"key": change.new} if change.new else None}
    if change.part == _TYPE:
        _not_empty(change)
    kind = field_specs.get(change.name)
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
