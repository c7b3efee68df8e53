"""Converts new and edited comments to what Jira's requests send, and checks each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ticketr.app.jira import User, adf
from ticketr.app.sync.compare.comments import CommentPart, JiraComment
from ticketr.app.sync.compare.diff import Change
from ticketr.app.sync.compare.grafting import PictureFile, marks_of, new_pictures, uploads_in
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.edits.losses import Accepted, Loss, comment_loss, edited_comment, unaccepted
from ticketr.app.sync.push.rich_text import unknown_people, with_mentions
from ticketr.app.sync.push.values import BadValue
from ticketr.app.tickets import Comment, Ticket

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
class CommentPayload:
    """The comments that a push sends of one issue.

    Attributes:
        writes: The comments.
        problems: What is wrong, each with the comment's name. An issue with problems is not sent.
        warnings: Which texts Jira gets in an unexpected form, each with the comment's name.
        lost: What Jira loses, as the user has accepted, each with the comment's name.
        uploads: The files that the comments show. They are attached before these are sent, and
            their media IDs take the place of their marks in them.
        values: What is sent of the comments that Jira has.
    """

    writes: tuple[CommentWrite, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    values: tuple[SentValue, ...] = ()
    lost: tuple[str, ...] = ()
    uploads: tuple[PictureFile, ...] = ()


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
) -> CommentPayload:
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
    return CommentPayload(
        tuple(writes),
        tuple(problems),
        tuple(warnings),
        tuple(values),
        tuple(lost),
        tuple(uploads.values()),
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
    comment = _comment_of(issue, part, text)
    if comment is None or not comment.line or not context.path or not line:
        return ""
    return f"{context.path}:{comment.line + line - 1}: "


def _comment_of(issue: Ticket, part: CommentPart, text: str) -> Comment | None:
    comments = (
        comment for comment in issue.comments if comment.id == part.id and comment.text == text
    )
    return next(comments, None)
