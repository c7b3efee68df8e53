"""What a push sends of one issue, and the checks of its comments and links. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ticketr.app.jira import adf
from ticketr.app.sync.compare import grafting
from ticketr.app.sync.compare.attachments import files_of
from ticketr.app.sync.compare.comments import JiraComment, jira_comments
from ticketr.app.sync.compare.diff import Change, CommentPart, Part
from ticketr.app.sync.compare.mapping import (
    LINK_FIELD,
    JiraLink,
    jira_links,
    keys_in,
    link_loss,
    removed_links,
)
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.edits.losses import Accepted, Loss, comment_loss, edited_comment, unaccepted
from ticketr.app.sync.push.rich_text import (
    checked_document,
    unknown_people,
    where,
    with_mentions,
)
from ticketr.app.sync.push.values import BadValue, FieldSpec, LinkDirection, NameLookup, shown
from ticketr.app.tickets import Ticket, is_key

_COMMENTS_OFF = (
    "this workspace keeps no comments; write comments = true into ticketr.toml, then pull"
)


@dataclass(frozen=True, slots=True)
class CommentWrite:
    """A comment to add or to change.

    Attributes:
        part: Which one.
        text: Its text in the file.
        body: What is sent, as ADF.
        visibility: Who may see it, as Jira has it.
    """

    part: CommentPart
    text: str
    body: Mapping[str, object]
    visibility: object = None


@dataclass(frozen=True, slots=True)
class LinkWrite:
    """A link to add or to remove.

    Attributes:
        line: The name of its line.
        key: The issue at the other end.
        direction: What the line stands for.
        remove: The ID of the link to remove; empty to add one.
    """

    line: str
    key: str
    direction: LinkDirection
    remove: str = ""


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
    uploads: tuple[grafting.PictureFile, ...] = ()
    with_pictures: IssuePayload | None = None
    inherited: tuple[Change, ...] = ()
    left_out: tuple[str, ...] = ()

    def plus(self, part: IssuePayload) -> IssuePayload:
        """Return the same with the comments or the links of another payload."""
        uploads = {upload.mark: upload for upload in (*self.uploads, *part.uploads)}
        return replace(
            self,
            problems=(*self.problems, *part.problems),
            warnings=(*self.warnings, *part.warnings),
            values=(*self.values, *part.values),
            comments=(*self.comments, *part.comments),
            links=(*self.links, *part.links),
            lost=(*self.lost, *part.lost),
            uploads=tuple(uploads.values()),
        )


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """An issue in its file, and what is known to convert its changes.

    Attributes:
        issue: The issue.
        lookup: Finds people, sprints, teams and links by name.
        field_specs: The fields of its type, by the names of their lines.
        text_specs: Its rich-text fields, by the names of their sections.
        path: Its file, for messages that name a line.
        present: Its fields as Jira has them, by their IDs; empty for a new issue.
        texts: Its rich texts that have changed, if Jira has the issue; others are converted.
        pictures: The files on disk that its texts show, by their addresses.
        accepted: The losses that the push may cause.
        has_comments: Whether files hold comments.
    """

    issue: Ticket
    lookup: NameLookup
    field_specs: Mapping[str, FieldSpec] = field(default_factory=dict)
    text_specs: Mapping[str, FieldSpec] = field(default_factory=dict)
    path: str = ""
    present: Mapping[str, object] = field(default_factory=dict)
    texts: tuple[grafting.EditedText, ...] = ()
    pictures: Mapping[str, grafting.PictureFile] = field(default_factory=dict)
    accepted: Accepted = False
    has_comments: bool = False

    def link_direction(self, part: Part) -> LinkDirection | None:
        """Return what a line of links stands for; None for any other part."""
        return self.lookup.links.get(part) if isinstance(part, str) else None


def comment_payload(known: KnownIssue, changes: Iterable[Change]) -> IssuePayload:
    """Return what is sent of the changes that are comments; those of other parts are left out."""
    there = {comment.id: comment for comment in jira_comments(known.present)}
    payload = IssuePayload()
    for change in changes:
        if isinstance(change.part, CommentPart):
            comment = there.get(change.part.id)
            try:
                payload = payload.plus(_of_comment(known, change.part, change, comment))
            except BadValue as error:
                payload = payload.plus(IssuePayload(problems=(f"{change.name}: {error}",)))
    return payload


def _of_comment(
    known: KnownIssue, part: CommentPart, change: Change, comment: JiraComment | None
) -> IssuePayload:
    """Convert a comment and check it; return what is sent of it.

    Args:
        known: Its issue.
        part: Which comment it is.
        change: Its change.
        comment: The comment in Jira, unless it is new.

    Raises:
        BadValue: It cannot be sent, or Jira would lose something.
    """
    if not known.has_comments:
        raise BadValue(_COMMENTS_OFF)
    if not part.is_new:
        comment = _require_own(comment, known)
    uploads = grafting.uploads_in(change.new, change.old, known.pictures)
    marks = grafting.marks_of(uploads)
    if not change.new:
        raise BadValue("a comment needs a text; delete it in Jira, where nothing else is lost")

    def line_of(line: int) -> int:
        return _line(known, part, change.new, line)

    def place(line: int) -> str:
        return where(known.path, line_of(line))

    sent = replace(change, new=with_mentions(change.new, known.lookup.mentioned, place))

    def convert() -> dict[str, object]:
        if comment is not None:
            return edited_comment(sent, comment, marks).document
        files = {**files_of(known.present), **{mark: mark for mark in marks.values()}}
        return adf.to_adf(adf.with_attachments(sent.new, marks), files=files)

    old, original = (comment.in_file().text, comment.body) if comment is not None else ("", None)
    texts = [(adf.with_attachments(change.new, marks), old, line_of)]
    body = checked_document(convert, texts, path=known.path, original=original)
    key = known.issue.key or ""
    lost = () if comment is None else comment_loss(key, known.path, change, comment)
    if names := ", ".join(loss.what for loss in unaccepted(lost, known.accepted)):
        raise BadValue(
            f"sending it would lose {names}, for its file cannot say that; change it in Jira, or "
            "say --accept-loss"
        )
    visibility = comment.visibility if comment is not None else None
    words = f"{change.name}: what its file cannot say is lost in Jira: "
    return IssuePayload(
        warnings=tuple(_warnings(known, part, change)),
        values=() if part.is_new else (SentValue(part, change.new, "comment", body),),
        comments=(CommentWrite(part, change.new, body, visibility),),
        lost=tuple(f"{words}{loss.what}" for loss in lost),
        uploads=tuple(uploads.values()),
    )


def _require_own(comment: JiraComment | None, known: KnownIssue) -> JiraComment:
    """Return the comment in Jira; raise `BadValue` if it is not there, or not the user's."""
    if comment is None:
        raise BadValue("Jira does not have it here; write - new: for a new comment")
    if comment.account and comment.account != known.lookup.account:
        raise BadValue(
            f"{comment.author or 'somebody else'} wrote it, and only your own comments can be "
            "changed; put its text back, or take its lines out: the next pull writes them"
        )
    return comment


def _warnings(known: KnownIssue, part: CommentPart, change: Change) -> Iterator[str]:
    pictures = known.pictures
    new = grafting.new_pictures(change.new, change.old) if pictures else ()
    fates = {text: pictures[text].problem for text in new if text in pictures}
    for piece in adf.unsent_pieces(
        change.new, before=change.old, files=files_of(known.present), pictures=fates
    ):
        if not piece.is_lost:
            line = _line(known, part, change.new, piece.line)
            yield f"{change.name}: {piece.words(known.path, line)}"
    for line, reason in unknown_people(change.new, change.old, known.lookup.mentioned):
        place = where(known.path, _line(known, part, change.new, line))
        yield f"{change.name}: {place}{reason}"


def _line(known: KnownIssue, part: CommentPart, text: str, line: int) -> int:
    """Return the line in the file of a line of a comment; 0 if it is not known."""
    comments = (comment for comment in known.issue.comments if comment.id == part.id)
    comment = next((comment for comment in comments if comment.text == text), None)
    if comment is None or not comment.line or not line:
        return 0
    return comment.line + line - 1


def link_payload(known: KnownIssue, changes: Iterable[Change]) -> IssuePayload:
    """Return what is sent of the changes that are lines of links; other parts are left out."""
    payload = IssuePayload()
    for change in changes:
        if direction := known.link_direction(change.part):
            gone = removed_links(known.present, change.name, change.old, change.new)
            if problem := _link_problem(known, change, map(link_loss, gone)):
                payload = payload.plus(IssuePayload(problems=(f"{change.name}: {problem}",)))
            else:
                payload = payload.plus(_of_links(known, change, direction, gone))
    return payload


def _of_links(
    known: KnownIssue, change: Change, direction: LinkDirection, gone: Iterable[JiraLink]
) -> IssuePayload:
    """Return what is sent of one line of links, of which some are removed."""
    gone, keys = tuple(gone), keys_in(change.new)
    there = {link.key for link in jira_links(known.present) if link.line == change.name}
    return IssuePayload(
        values=(SentValue(change.part, change.new, LINK_FIELD, list(keys)),),
        links=(
            *(LinkWrite(change.name, key, direction) for key in keys if key not in there),
            *(LinkWrite(change.name, link.key, direction, link.id) for link in gone),
        ),
        lost=tuple(f"{change.name}: {link_loss(link)} is removed in Jira" for link in gone),
    )


def _link_problem(known: KnownIssue, change: Change, gone: Iterable[str]) -> str:
    """Return why a line of links cannot be sent; empty if it can.

    Args:
        known: The issue.
        change: The change of the line.
        gone: The links that it removes, in words.
    """
    for key in keys_in(change.new):
        if not is_key(key):
            return f"{shown(key)} is not a key like PROJ-123"
        if key == known.issue.key:
            return "a ticket cannot be linked to itself"
    lost = [Loss(known.issue.key or "", known.path, text) for text in gone]
    if refused := ", ".join(loss.what for loss in unaccepted(lost, known.accepted)):
        return (
            f"sending it would remove {refused}; answer the question before a push in a terminal, "
            "or say --accept-loss"
        )
    return ""
