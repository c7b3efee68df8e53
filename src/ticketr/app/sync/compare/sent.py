"""The values and comments that were sent of an issue, and whether Jira has them. Pure.

Jira rewrites many values: it sorts labels, names a person by an account, and converts times to another
zone. So Jira's value is compared with the value that was sent, not with the text in the file.

Jira has no request that adds a comment only once. So each request is recorded before it is sent. If
its answer is lost, the comment is recognised by its author and its text, among those that came after
the comments that were known then.

Git may bring values of earlier syncs back into a file. These are no edits, and they are recognised by
their digests. A value that the user has typed again looks the same, so the user has to run a command
to have it sent.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from hashlib import blake2b
from typing import TypeAlias

from ticketr.app.config.checks import folded
from ticketr.app.jira.adf import canonical
from ticketr.app.jira.models import Issue, object_of
from ticketr.app.sync.compare import diff
from ticketr.app.sync.compare.comments import jira_comments
from ticketr.app.sync.compare.diff import CommentPart, RichTextPart
from ticketr.app.sync.compare.mapping import LINK_FIELD, words_with_keys_upper
from ticketr.app.sync.compare.times import read_typed_moment
from ticketr.app.tickets import Comment, Ticket

#: The keys that identify a record of Jira; the first one that was sent is compared.
_IDENTIFYING_KEYS = ("accountId", "id", "key", "value", "name")


@dataclass(frozen=True, slots=True)
class SentValue:
    """A part of an issue that was sent, or is about to be.

    Attributes:
        part: The part.
        text: Its text in the file.
        field_id: The ID of Jira's field.
        value: What was sent for it.
    """

    part: diff.Part
    text: str
    field_id: str
    value: object

    def is_in(self, issue: Ticket, fields: Mapping[str, object]) -> bool:
        """Return whether Jira has it."""
        now = diff.part_texts(issue).get(self.part, "")
        if self.field_id == LINK_FIELD:
            return set(words_with_keys_upper(self.text)) == set(words_with_keys_upper(now))
        there = fields.get(self.field_id)
        if isinstance(self.part, CommentPart):
            bodies = {comment.id: comment.body for comment in jira_comments(fields)}
            there = bodies.get(self.part.id)
        return diff.are_equivalent(self.part, self.text, now) or matches_sent(self.value, there)

    def are_links_partly_in_jira(self, base: Ticket, issue: Ticket) -> bool:
        """Return whether all that has changed in Jira is some of what was sent; only of links."""
        if self.field_id != LINK_FIELD:
            return False
        before, now = (
            set(words_with_keys_upper(diff.part_texts(ticket).get(self.part, "")))
            for ticket in (base, issue)
        )
        sent = set(words_with_keys_upper(self.text))
        return before != now and before & sent <= now <= before | sent


def to_json(values: Iterable[SentValue]) -> str:
    """Serialize sent values as JSON."""
    return json.dumps(
        [
            [diff.stored_name(value.part), value.text, value.field_id, value.value]
            for value in values
        ]
    )


def from_json(text: str) -> tuple[SentValue, ...]:
    """Parse the result of `to_json`."""
    return tuple(SentValue(diff.stored_part(name), *rest) for name, *rest in json.loads(text))


def matches_sent(sent: object, now: object) -> bool:
    """Return whether a field holds what was sent for it, in Jira's own form."""
    if isinstance(now, list) and (sent is None or isinstance(sent, int)):
        # Only sprints are sent as one ID and answered as a list, which includes closed ones.
        now = [sprint for sprint in now if object_of(sprint).get("state") != "closed"]
        return matches_sent([] if sent is None else [sent], now)
    if _is_empty(sent) or _is_empty(now):
        return _is_empty(sent) and _is_empty(now)
    match sent:
        case list():
            return isinstance(now, list) and (
                all(any(matches_sent(value, other) for other in now) for value in sent)
                and all(any(matches_sent(value, other) for value in sent) for other in now)
            )
        case {"type": "doc"}:
            return canonical(sent) == canonical(now)
        case dict():
            key = next((key for key in _IDENTIFYING_KEYS if key in sent), "")
            there = object_of(now)
            return key in there and folded(str(sent[key])) == folded(str(there[key]))
        case str():
            return isinstance(now, str) and _is_same_text_or_moment(sent, now)
        case int() | float():
            number = now.get("id") if isinstance(now, dict) else now
            return isinstance(number, int | float) and number == sent
    return False


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [])


def _is_same_text_or_moment(sent: str, now: str) -> bool:
    one, other = (text.replace("\r\n", "\n").strip() for text in (sent, now))
    if one == other:
        return True
    moments = read_typed_moment(one), read_typed_moment(other)
    return moments[0] is not None and moments[0] == moments[1]


def add_arrived_values_to_base(
    base: Ticket,
    local: Ticket,
    remote: Ticket,
    issues: Iterable[Issue],
    sent: Mapping[str, Iterable[SentValue]],
    *,
    earlier: Iterable[Issue] = (),
) -> tuple[Ticket, Ticket]:
    """Add the values that Jira has of an interrupted push to the base.

    Args:
        base: The ticket at the last sync.
        local: The ticket as it is here.
        remote: The ticket as Jira has it now.
        issues: Its issues in Jira's terms.
        sent: What was sent of each of them, by key.
        earlier: Its issues at the last sync, in Jira's terms. For an issue that was created here and
            never read, the base also gets what Jira filled in and the draft did not name.

    Returns:
        The base, and the ticket here, each with those values as Jira writes them; here only where
        nobody has edited them since. Both are the same objects as before if Jira has none.
    """
    there, before = diff.issues_by_key(remote), diff.issues_by_key(base)
    unread = {issue.key for issue in earlier if not issue.fields}
    for issue in issues:
        key = issue.key
        if key not in there or key not in before:
            continue
        now, base_texts = diff.part_texts(there[key]), diff.part_texts(before[key])
        values = tuple(sent.get(key, ()))
        came = [value for value in values if value.is_in(there[key], issue.fields)]
        partly = [
            value for value in values if value.are_links_partly_in_jira(before[key], there[key])
        ]
        parts = {value.part: now.get(value.part, "") for value in (*came, *partly)}
        if key in unread:
            parts |= {part: text for part, text in now.items() if part not in base_texts}
        if parts:
            base = diff.with_parts(base, key, parts)
        here = (
            diff.part_texts(diff.issues_by_key(local)[key])
            if key in diff.issues_by_key(local)
            else {}
        )
        same = {value.part for value in came if here.get(value.part) == value.text}
        if same:
            local = diff.with_parts(local, key, {part: now.get(part, "") for part in same})
    return base, local


#: How alike two texts must be, from 0 to 1, for one to count as an edit of the other.
_MIN_EDIT_SIMILARITY = 0.6
#: How many characters of a text are compared.
_COMPARED_PREFIX_CHARACTERS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """A request that Jira must not carry out twice.

    Attributes:
        marker: A text that identifies the request.
        issue: The ID of the issue that it adds something to; empty for a new issue.
        sent: This computer's clock when it was sent, in seconds since the epoch; 0 if Jira has
            certainly finished with it.
        id: Jira's ID of what it has added; empty while it is not known whether Jira has that.
        settled: This computer's clock when this workspace had what was added; 0 before that.
    """

    marker: str
    issue: str = ""
    sent: float = 0.0
    id: str = ""
    settled: float = 0.0


@dataclass(frozen=True, slots=True)
class SentComment(OutboxEntry):
    """A comment that Jira was asked to add; its own properties hold the marker.

    Attributes:
        key: The issue's key.
        text: The comment as it was in the file.
        body: What was sent.
        account: The ID of the account that sent it.
        after: The highest number of the issue's comments before.
    """

    key: str
    text: str
    body: object
    account: str
    after: int


def find_answers_in_jira(sent: Iterable[SentComment], issues: Iterable[Issue]) -> list[SentComment]:
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
        body = canonical(sent_comment.body)
        for comment in there.get(sent_comment.issue, ()):
            if (
                int(comment.id) > sent_comment.after
                and comment.account_id == sent_comment.account
                and (sent_comment.issue, comment.id) not in taken
                and canonical(comment.body) == body
            ):
                taken.add((sent_comment.issue, comment.id))
                comments.append(replace(sent_comment, id=comment.id))
                break
    return comments


def highest_comment_id(fields: Mapping[str, object]) -> int:
    """Return the highest number of an issue's comments; 0 if there are none."""
    return max((int(comment.id) for comment in jira_comments(fields)), default=0)


def number_sent_comments(
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
    there, here = (
        diff.issues_by_key(remote) if remote is not None else {},
        diff.issues_by_key(local),
    )
    for sent_comment in sent:
        if not sent_comment.id or sent_comment.key not in here:
            continue
        issue = here[sent_comment.key]
        before = diff.issues_by_key(base).get(sent_comment.key)
        had_it = before is not None and any(one.id == sent_comment.id for one in before.comments)
        if sent_comment.settled and not had_it:
            continue  # it was deleted in Jira since
        known = {comment.id for comment in issue.comments}
        at = None if sent_comment.id in known else _likest_new_index(sent_comment, issue.comments)
        jiras = there[sent_comment.key].comments if sent_comment.key in there else ()
        now = next(
            (one for one in jiras if one.id == sent_comment.id),
            Comment(sent_comment.text, sent_comment.id),
        )
        if before is not None and not had_it:
            base = _replace_issue_comments(base, before, (*before.comments, now))
        if at is None:
            continue
        text = now.text if issue.comments[at].text == sent_comment.text else issue.comments[at].text
        comments = list(issue.comments)
        comments[at] = replace(now, text=text, text_line=comments[at].text_line)
        local = _replace_issue_comments(local, issue, comments)
        here = diff.issues_by_key(local)
    return base, local


def _likest_new_index(sent: SentComment, comments_in_file: Sequence[Comment]) -> int | None:
    """Return the index of a comment in its file, where it has no number yet."""
    new = [(at, comment.text) for at, comment in enumerate(comments_in_file) if comment.is_new]
    exact = next((at for at, text in new if text == sent.text), None)
    if exact is not None or sent.settled:
        return exact
    matcher = SequenceMatcher(None, b=sent.text[:_COMPARED_PREFIX_CHARACTERS], autojunk=False)
    best, similarity = None, _MIN_EDIT_SIMILARITY
    for at, text in new:
        matcher.set_seq1(text[:_COMPARED_PREFIX_CHARACTERS])
        if matcher.ratio() >= similarity:
            best, similarity = at, matcher.ratio()
    return best


def _replace_issue_comments(ticket: Ticket, issue: Ticket, comments: Iterable[Comment]) -> Ticket:
    """Return a ticket in which one of its issues has other comments."""
    new = replace(issue, comments=tuple(comments))
    return diff.map_issues(ticket, lambda one: new if one is issue else one)


#: The older values of some issues, by key: the stored name of a part, and the digest of its text.
OlderTextDigestsByKey: TypeAlias = "Mapping[str, Collection[tuple[str, str]]]"


def digest(text: str) -> str:
    """Return the digest of a text."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def name_and_new_digest(change: diff.Change) -> tuple[str, str]:
    """Return the new text of a part as it is stored among the older values."""
    return diff.stored_name(change.part), digest(change.new)


def keys_parts_and_replaced_digests(old: Ticket, new: Ticket) -> Iterator[tuple[str, str, str]]:
    """Yield what a new base replaces: the key of the issue, and a value as it is stored."""
    after = diff.issues_by_key(new)
    for key, issue in diff.issues_by_key(old).items():
        texts = diff.part_texts(after[key]) if key in after else None
        for part, text in diff.part_texts(issue).items():
            is_new = isinstance(part, CommentPart) and part.is_new  # of a draft
            if texts is not None and texts.get(part) != text and not is_new:
                yield key, diff.stored_name(part), digest(text)


def replace_older_values(
    ticket: Ticket, base: Ticket, older: OlderTextDigestsByKey
) -> tuple[Ticket, dict[str, tuple[diff.Change, ...]]]:
    """Replace the older values in a ticket by those of the last sync.

    Args:
        ticket: The ticket in its file.
        base: The ticket at the last sync.
        older: The older values of its issues.

    Returns:
        The ticket, and what was replaced in each issue, by key: the text of the last sync, and the
        older one as the new text.
    """
    before, replaced = diff.issues_by_key(base), dict[str, tuple[diff.Change, ...]]()

    def forward(issue: Ticket) -> Ticket:
        key = issue.key or ""
        if not older.get(key) or key not in before:
            return issue
        texts = diff.part_texts(before[key])
        values = [
            change
            for change in diff.find_changes(before[key], issue)
            if name_and_new_digest(change) in older[key]
        ]
        if not values:
            return issue
        replaced[key] = tuple(values)
        known = {change.part: texts[change.part] for change in values if change.part in texts}
        gone = {change.part for change in values if change.part not in texts}
        issue = diff.with_parts(issue, key, known)
        return replace(
            issue,
            fields={name: text for name, text in issue.fields.items() if name not in gone},
            rich_texts={
                name: text
                for name, text in issue.rich_texts.items()
                if RichTextPart(name) not in gone
            },
            comments=tuple(
                comment for comment in issue.comments if CommentPart(comment.id) not in gone
            ),
        )

    return diff.map_issues(ticket, forward), replaced


def older_values_not_in(
    older: Mapping[str, tuple[diff.Change, ...]], result: Ticket
) -> dict[str, tuple[diff.Change, ...]]:
    """Return those of some older values that a ticket no longer has, by the keys of its issues."""
    texts = {key: diff.part_texts(issue) for key, issue in diff.issues_by_key(result).items()}
    replaced = {
        key: tuple(value for value in values if texts[key].get(value.part, "") != value.new)
        for key, values in older.items()
    }
    return {key: values for key, values in replaced.items() if values}
