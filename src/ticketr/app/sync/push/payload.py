"""What a push sends of one issue, and the checks of its comments and links. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr.app.jira import User, adf
from ticketr.app.sync.compare.comments import CommentPart, JiraComment
from ticketr.app.sync.compare.diff import Change, Part
from ticketr.app.sync.compare.grafting import PictureFile, marks_of, new_pictures, uploads_in
from ticketr.app.sync.compare.mapping import (
    LINK_FIELD,
    jira_links,
    keys_in,
    line_name,
    link_loss,
    removed_links,
)
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.edits.losses import Accepted, Loss, comment_loss, edited_comment, unaccepted
from ticketr.app.sync.push.rich_text import unknown_people, with_mentions
from ticketr.app.sync.push.values import BadValue, shown
from ticketr.app.tickets import Ticket, is_key

if TYPE_CHECKING:
    from ticketr.app.jira import LinkType


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
class LinkDirection:
    """What a line of links stands for.

    Attributes:
        type_id: The ID of the kind of link.
        is_outward: Whether the issue with the line is the first of the two, which blocks the other.
    """

    type_id: str
    is_outward: bool


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
    uploads: tuple[PictureFile, ...] = ()
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
class CommentContext:
    """What is known of the comments of one issue in Jira.

    Attributes:
        is_on: Whether files hold comments.
        account: The ID of the account that sends.
        known: The comments, by their numbers.
        path: The file, relative to the workspace.
        accepted: The losses that the push may cause.
        mentioned: The accounts found for each name that a text mentions.
        files: The media IDs of the issue's attachments, by their names.
        pictures: What is known of the files on disk that texts show, by their addresses.
    """

    is_on: bool
    account: str
    known: Mapping[str, JiraComment] = field(default_factory=dict)
    path: str = ""
    accepted: Accepted = False
    mentioned: Mapping[str, tuple[User, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, PictureFile] = field(default_factory=dict)


def comment_payload(
    issue: Ticket, changes: Iterable[Change], context: CommentContext
) -> IssuePayload:
    """Return what is sent of the changes that are comments.

    Args:
        issue: The issue in its file.
        changes: Its changes; those of other parts are left out.
        context: What is known of its comments in Jira.
    """
    writes: list[CommentWrite] = []
    problems: list[str] = []
    warnings: list[str] = []
    values: list[SentValue] = []
    lost: list[str] = []
    uploads: dict[str, PictureFile] = {}
    for change in changes:
        if not isinstance(change.part, CommentPart):
            continue
        try:
            write = _comment_write(issue, change.part, change, context)
            warnings += _warnings(issue, change, context)
            lost += _accepted(issue, change.part, change, context)
        except BadValue as error:
            problems.append(f"{change.name}: {error}")
            continue
        writes.append(write)
        uploads |= uploads_in(change.new, change.old, context.pictures)
        if not write.part.is_new:
            values.append(SentValue(write.part, change.new, "comment", write.body))
    return IssuePayload(
        problems=tuple(problems),
        warnings=tuple(warnings),
        values=tuple(values),
        comments=tuple(writes),
        lost=tuple(lost),
        uploads=tuple(uploads.values()),
    )


def _comment_write(
    issue: Ticket, part: CommentPart, change: Change, context: CommentContext
) -> CommentWrite:
    """Convert a comment and check it.

    Raises:
        BadValue: It cannot be sent, or Jira would lose something.
    """
    if not context.is_on:
        raise BadValue(_COMMENTS_OFF)
    visibility = None if part.is_new else _require_own(part, context).visibility
    marks = marks_of(uploads_in(change.new, change.old, context.pictures))
    _check(issue, part, change.new, context, marks)

    def place(line: int) -> str:
        return _place(issue, part, change.new, line, context)

    known = None if part.is_new else context.known[part.id]
    sent = replace(change, new=with_mentions(change.new, context.mentioned, place))
    if known is None:
        files = {**context.files, **{mark: mark for mark in marks.values()}}
        body = adf.to_adf(adf.with_attachments(sent.new, marks), files=files)
    else:
        body = edited_comment(sent, known, marks).document
    if (size := adf.length(body)) > adf.LONGEST_TEXT:
        raise BadValue(_too_long(size))
    was = adf.problems(known.body if known is not None else None)
    if problems := [problem for problem in adf.problems(body) if problem not in was]:
        raise BadValue(f"Jira would refuse it: {problems[0]}")
    lost = () if part.is_new else _losses_of(issue, part, change, context)
    if names := ", ".join(loss.what for loss in unaccepted(lost, context.accepted)):
        raise BadValue(
            f"sending it would lose {names}, for its file cannot say that; change it in Jira, or "
            "say --accept-loss"
        )
    return CommentWrite(part, change.new, body, visibility)


def _require_own(part: CommentPart, context: CommentContext) -> JiraComment:
    """Return the comment in Jira; raise `BadValue` if it is not there, or not the user's."""
    known = context.known.get(part.id)
    if known is None:
        raise BadValue("Jira does not have it here; write - new: for a new comment")
    if known.account and known.account != context.account:
        raise BadValue(
            f"{known.author or 'somebody else'} wrote it, and only your own comments can be "
            "changed; put its text back, or take its lines out: the next pull writes them"
        )
    return known


def _check(
    issue: Ticket,
    part: CommentPart,
    text: str,
    context: CommentContext,
    marks: Mapping[str, str],
) -> None:
    """Check a text before it is converted, which takes time."""
    if not text:
        raise BadValue("a comment needs a text; delete it in Jira, where nothing else is lost")
    if adf.is_too_long(text):
        raise BadValue(_too_long(len(text)))
    before = context.known.get(part.id)
    old = before.in_file().text if before is not None else ""
    for piece in adf.dropped_pieces(adf.with_attachments(text, marks)):
        if piece.text not in old:
            where = _place(issue, part, text, piece.line, context)
            raise BadValue(f"{where}{piece.reason}")


def _too_long(size: int) -> str:
    return f"it has {size} characters; Jira takes {adf.LONGEST_TEXT}"


def _losses_of(
    issue: Ticket, part: CommentPart, change: Change, context: CommentContext
) -> tuple[Loss, ...]:
    return comment_loss(issue.key or "", context.path, change, context.known[part.id])


def _warnings(issue: Ticket, change: Change, context: CommentContext) -> Iterator[str]:
    assert isinstance(change.part, CommentPart)
    new = new_pictures(change.new, change.old) if context.pictures else ()
    fates = {text: context.pictures[text].problem for text in new if text in context.pictures}
    for piece in adf.unconverted_pieces(
        change.new, before=change.old, files=context.files, pictures=fates
    ):
        where = _place(issue, change.part, change.new, piece.line, context)
        yield f"{change.name}: {where}“{piece.text}” {piece.reason}"
    for line, reason in unknown_people(change.new, change.old, context.mentioned):
        yield f"{change.name}: {_place(issue, change.part, change.new, line, context)}{reason}"


def _accepted(
    issue: Ticket, part: CommentPart, change: Change, context: CommentContext
) -> Iterator[str]:
    """Yield what Jira loses; it was accepted, or else the comment would have been refused."""
    if not part.is_new:
        for loss in _losses_of(issue, part, change, context):
            yield f"{change.name}: what its file cannot say is lost in Jira: {loss.what}"


def _place(issue: Ticket, part: CommentPart, text: str, line: int, context: CommentContext) -> str:
    """Return the file and the line of a line of a comment, as the beginning of a message."""
    comments = (comment for comment in issue.comments if comment.id == part.id)
    comment = next((comment for comment in comments if comment.text == text), None)
    if comment is None or not comment.line or not context.path or not line:
        return ""
    return f"{context.path}:{comment.line + line - 1}: "


@dataclass(frozen=True, slots=True)
class LinkContext:
    """What is known of links.

    Attributes:
        directions: What each line of links stands for, by its name.
        accepted: The losses that the push may cause.
    """

    directions: Mapping[str, LinkDirection] = field(default_factory=dict)
    accepted: Accepted = False

    @classmethod
    def of(
        cls, types: Iterable[LinkType], fields: Iterable[str], accepted: Accepted
    ) -> LinkContext:
        """Return the context of a site with some kinds of links.

        Args:
            types: The kinds.
            fields: The names of the lines that hold fields.
            accepted: The losses that the push may cause.
        """
        directions: dict[str, LinkDirection] = {}
        for link_type in types:
            directions.setdefault(
                line_name(link_type.outward), LinkDirection(link_type.id, is_outward=True)
            )
            directions.setdefault(
                line_name(link_type.inward), LinkDirection(link_type.id, is_outward=False)
            )
        names = set(fields)
        return cls({k: v for k, v in directions.items() if k not in names}, accepted)

    def direction_of(self, part: Part) -> LinkDirection | None:
        """Return what a line of links stands for; None for any other part."""
        return self.directions.get(part) if isinstance(part, str) else None


def link_payload(
    issue: Ticket,
    changes: Iterable[Change],
    context: LinkContext,
    *,
    fields: Mapping[str, object],
    path: str,
) -> IssuePayload:
    """Return what is sent of the changes that are lines of links.

    Args:
        issue: The issue in its file.
        changes: Its changes; those of other parts are left out.
        context: What is known of links.
        fields: The issue's fields in Jira; empty for a draft.
        path: Its file, relative to the workspace.
    """
    writes: list[LinkWrite] = []
    problems: list[str] = []
    lost: list[str] = []
    values: list[SentValue] = []
    for change in changes:
        direction = context.direction_of(change.part)
        if direction is None:
            continue
        try:
            _check_keys(issue, change)
            gone = removed_links(fields, change.name, change.old, change.new)
            lost += _accepted_losses(
                issue, change, [link_loss(link) for link in gone], context, path
            )
        except BadValue as error:
            problems.append(f"{change.name}: {error}")
            continue
        known = {link.key for link in jira_links(fields) if link.line == change.name}
        writes += (
            LinkWrite(change.name, key, direction)
            for key in keys_in(change.new)
            if key not in known
        )
        writes += (LinkWrite(change.name, link.key, direction, link.id) for link in gone)
        values.append(SentValue(change.part, change.new, LINK_FIELD, list(keys_in(change.new))))
    return IssuePayload(
        problems=tuple(problems), values=tuple(values), links=tuple(writes), lost=tuple(lost)
    )


def _check_keys(issue: Ticket, change: Change) -> None:
    """Raise `BadValue` if a link cannot lead to one of the keys."""
    for key in keys_in(change.new):
        if not is_key(key):
            raise BadValue(f"{shown(key)} is not a key like PROJ-123")
        if key == issue.key:
            raise BadValue("a ticket cannot be linked to itself")


def _accepted_losses(
    issue: Ticket, change: Change, gone: Sequence[str], context: LinkContext, path: str
) -> Iterator[str]:
    """Yield a warning for each link that is removed; raise `BadValue` if that was not accepted."""
    lost = [Loss(issue.key or "", path, text) for text in gone]
    if refused := ", ".join(loss.what for loss in unaccepted(lost, context.accepted)):
        raise BadValue(
            f"sending it would remove {refused}; answer the question before a push in a terminal, "
            "or say --accept-loss"
        )
    for text in gone:
        yield f"{change.name}: {text} is removed in Jira"
