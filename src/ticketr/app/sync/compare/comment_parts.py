"""The comments of an issue as parts that are compared, merged and sent one by one. Pure.

A comment that a file does not mention is unchanged; none is deleted in Jira because it is absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ticketr.app.tickets import Comment, Ticket


@dataclass(frozen=True, slots=True)
class CommentPart:
    """A comment of an issue.

    Attributes:
        id: Its number in Jira; empty for a new one.
        text: The text of a new one, by which it is known; empty for others.
        number: How many new ones with the same text are before it.
    """

    id: str
    text: str = ""
    number: int = 0

    @property
    def is_new(self) -> bool:
        """Whether Jira does not have it yet."""
        return not self.id

    @property
    def name(self) -> str:
        """What people call it."""
        return "New comment" if self.is_new else f"Comment {self.id}"


def comment_texts(issue: Ticket) -> dict[CommentPart, str]:
    """Return the text of each comment of an issue."""
    before: Counter[str] = Counter()
    texts: dict[CommentPart, str] = {}
    for comment in issue.comments:
        part = CommentPart(comment.id)
        if comment.is_new:
            part = CommentPart("", comment.text, before[comment.text])
            before[comment.text] += 1
        texts[part] = comment.text
    return texts


def with_comment_texts(issue: Ticket, texts: Mapping[CommentPart, str]) -> tuple[Comment, ...]:
    """Return the comments of an issue with other texts; a comment that it lacks is added.

    New ones stay as they are: Jira has to number them first.
    """
    wanted = {part.id: text for part, text in texts.items() if not part.is_new}
    known = {comment.id for comment in issue.comments}
    return (
        *(
            replace(comment, text=wanted.get(comment.id, comment.text))
            for comment in issue.comments
        ),
        *(Comment(text, number) for number, text in wanted.items() if number not in known),
    )


def merged_comments(
    texts: Mapping[CommentPart, str], local: Iterable[Comment], remote: Iterable[Comment]
) -> tuple[Comment, ...]:
    """Return the comments of a merged issue: in Jira's order, then those that only the file has.

    Args:
        texts: The merged texts.
        local: The comments in the file.
        remote: The comments in Jira.
    """
    remote = tuple(remote)
    there = {comment.id for comment in remote}
    kept = [replace(comment, text=texts[CommentPart(comment.id)]) for comment in remote]
    for comment in local:
        if comment.is_new:
            kept.append(comment)
        elif comment.id not in there and (text := texts.get(CommentPart(comment.id))):
            kept.append(replace(comment, text=text))
    return tuple(kept)
