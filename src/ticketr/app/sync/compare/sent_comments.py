"""New comments that Jira was asked to add, and which of Jira's comments they are. Pure.

Jira has no request that adds a comment only once. So each request is recorded before it is sent. If
its answer is lost, the comment is recognised by its author and its text, among those that came after
the comments that were known then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from ticketr.app.jira.adf import canonical
from ticketr.app.jira.models import Issue
from ticketr.app.sync.compare.comments import jira_comments
from ticketr.app.sync.compare.diff import by_key
from ticketr.app.tickets import Comment, Ticket

#: How alike two texts must be, from 0 to 1, for one to count as an edit of the other.
_ALIKE = 0.6
#: How many characters of a text are compared.
_COMPARED = 2000


@dataclass(frozen=True, slots=True)
class SentComment:
    """A comment that Jira was asked to add.

    Attributes:
        marker: A random text in the comment's own properties.
        issue: The ID of its issue.
        key: The issue's key.
        text: The comment as it was in the file.
        body: What was sent, as JSON.
        account: The ID of the account that sent it.
        after: The highest number of the issue's comments before.
        sent: This computer's clock when it was requested, in seconds since the epoch; 0 if Jira
            has certainly finished with the request.
        id: Its number; empty while it is not known whether Jira has it.
        is_settled: Whether the state has the comment as part of its ticket.
    """

    marker: str
    issue: str
    key: str
    text: str
    body: str
    account: str
    after: int
    sent: float
    id: str = ""
    is_settled: bool = False


def found_comments(sent: Iterable[SentComment], issues: Iterable[Issue]) -> list[SentComment]:
    """Return the requests without an answer whose comments are in Jira, with their numbers.

    Args:
        sent: The requests. Comments of answered ones cannot belong to another request.
        issues: The issues as Jira has them now.
    """
    sent = tuple(sent)
    taken = {(comment.issue, comment.id) for comment in sent}
    there = {issue.id: jira_comments(issue.fields) for issue in issues}
    comments: list[SentComment] = []
    for sent_comment in sent:
        if sent_comment.id:
            continue
        body = canonical(json.loads(sent_comment.body))
        for comment in there.get(sent_comment.issue, ()):
            if (
                int(comment.id) > sent_comment.after
                and comment.account == sent_comment.account
                and (sent_comment.issue, comment.id) not in taken
                and canonical(comment.body) == body
            ):
                taken.add((sent_comment.issue, comment.id))
                comments.append(replace(sent_comment, id=comment.id))
                break
    return comments


def highest_number(fields: Mapping[str, object]) -> int:
    """Return the highest number of an issue's comments; 0 if there are none."""
    return max((int(comment.id) for comment in jira_comments(fields)), default=0)


def with_sent_comments(
    base: Ticket, local: Ticket, sent: Iterable[SentComment], remote: Ticket | None = None
) -> tuple[Ticket, Ticket]:
    """Give the new comments that Jira has already their numbers, in a file and in its base.

    Args:
        base: The ticket at the last sync.
        local: The ticket in its file.
        sent: What was sent; requests without an answer are ignored.
        remote: The ticket in Jira; None if it was not read.

    Returns:
        The base with these comments, and the ticket in its file. There a new comment whose text was
        edited since is an edit of it. Both are the same objects as before if there are none.
    """
    there, here = by_key(remote) if remote is not None else {}, by_key(local)
    for sent_comment in sent:
        if not sent_comment.id or sent_comment.key not in here:
            continue
        issue = here[sent_comment.key]
        if sent_comment.is_settled and not _has_comment(base, sent_comment):
            continue  # it was deleted in Jira since
        known = {comment.id for comment in issue.comments}
        at = None if sent_comment.id in known else _index_of(sent_comment, issue.comments)
        jiras = there[sent_comment.key].comments if sent_comment.key in there else ()
        now = next(
            (one for one in jiras if one.id == sent_comment.id),
            Comment(sent_comment.text, sent_comment.id),
        )
        base = _with_comment(base, sent_comment.key, now)
        if at is None:
            continue
        text = now.text if issue.comments[at].text == sent_comment.text else issue.comments[at].text
        comments = list(issue.comments)
        comments[at] = replace(now, text=text, line=comments[at].line)
        here[sent_comment.key] = replace(issue, comments=tuple(comments))
        local = _with_issue(local, here[sent_comment.key])
    return base, local


def _index_of(sent: SentComment, comments: Sequence[Comment]) -> int | None:
    """Return the index of a comment in its file, where it has no number yet."""
    new = [(at, comment.text) for at, comment in enumerate(comments) if comment.is_new]
    exact = next((at for at, text in new if text == sent.text), None)
    if exact is not None or sent.is_settled:
        return exact
    scores = ((_likeness(sent.text, text), at) for at, text in new)
    score, at = max(scores, default=(0.0, -1))
    return at if score >= _ALIKE else None


def _likeness(one: str, other: str) -> float:
    """Return how alike two texts begin, from 0 to 1."""
    return SequenceMatcher(None, one[:_COMPARED], other[:_COMPARED], autojunk=False).ratio()


def _has_comment(ticket: Ticket, sent: SentComment) -> bool:
    issue = by_key(ticket).get(sent.key)
    return issue is not None and any(comment.id == sent.id for comment in issue.comments)


def _with_comment(ticket: Ticket, key: str, comment: Comment) -> Ticket:
    """Return a ticket in which an issue has a comment of Jira, at the end if it is new there."""
    issue = by_key(ticket).get(key)
    if issue is None or any(existing.id == comment.id for existing in issue.comments):
        return ticket
    return _with_issue(ticket, replace(issue, comments=(*issue.comments, comment)))


def _with_issue(ticket: Ticket, issue: Ticket) -> Ticket:
    if ticket.key == issue.key:
        return replace(issue, tasks=ticket.tasks)
    tasks: Iterator[Ticket] = (issue if task.key == issue.key else task for task in ticket.tasks)
    return replace(ticket, tasks=tuple(tasks))
