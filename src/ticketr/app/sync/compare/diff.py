"""Compares two versions of an issue part by part. Pure.

A missing line under ``## Fields`` is not a change; a line without a value empties its field. The
same holds for a section ``## Field: Name``. A missing comment is not a change, but an emptied
description or list of criteria is.

Texts are compared as Jira would get them: ``* this`` equals ``- this``. In Jira the acceptance criteria
are the end of the description.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, TypeAlias

from ticketr.app.jira.adf import (
    NAMES_AS_MEDIA_IDS,
    canonical,
    code_block_document,
    convert,
    is_surely_too_long,
    is_too_large_for_jira,
    lost_texts,
    simple_markdown,
    to_adf,
    to_markdown,
)
from ticketr.app.tickets import Comment, Ticket, TicketSyntaxError, parse

_CRITERIA_HEADING = "Acceptance Criteria"


@dataclass(frozen=True, slots=True)
class MarkdownAndCriteria:
    """A description as it will be in a file.

    Attributes:
        markdown: Its Markdown, without the criteria.
        criteria: The acceptance criteria at its end, each as Markdown.
        is_exact: Whether the two are known to say all that the description says.
    """

    markdown: str
    criteria: tuple[str, ...] = ()
    is_exact: bool = False


def description_text(
    adf: object, media_ids: Mapping[str, str], *, split: bool
) -> MarkdownAndCriteria:
    """Convert a description to Markdown.

    Args:
        adf: The description in Jira's form; None for none.
        media_ids: The media ID of each file that is attached to the issue, by its name.
        split: Whether to split the acceptance criteria off.
    """
    body, criteria = split_criteria(adf) if split else (adf, ())
    if not isinstance(adf, dict) or not isinstance(body, dict):
        return MarkdownAndCriteria("", is_exact=adf is None)
    converted = convert(body, media_ids=media_ids)
    is_exact = converted.is_lossless
    if is_exact and criteria:
        is_exact = simple_markdown(_last_two_blocks(adf)) is not None
    return MarkdownAndCriteria(converted.markdown, criteria, is_exact)


def simple_description(adf: object) -> MarkdownAndCriteria | None:
    """Return what `description_text` returns for a simple description; None for any other.

    Args:
        adf: The description in Jira's form; None for none.
    """
    if not isinstance(adf, dict):
        return MarkdownAndCriteria("", is_exact=True) if adf is None else None
    body: object = adf
    criteria: tuple[str, ...] = ()
    content = adf.get("content")
    if isinstance(content, list) and len(content) > 1 and _is_criteria_heading(content[-2]):
        if (end := simple_markdown(_last_two_blocks(adf))) is None:
            return None
        _, _, *lines = end.splitlines()
        if content[-1]["type"] == "bulletList" and all(line.startswith("- ") for line in lines):
            body = {**adf, "content": content[:-2]}
            criteria = tuple(line[2:] for line in lines)
    markdown = simple_markdown(body)
    return None if markdown is None else MarkdownAndCriteria(markdown, criteria, is_exact=True)


def _last_two_blocks(adf: dict[Any, Any]) -> dict[str, object]:
    """Return the last two blocks of a document, which may be acceptance criteria."""
    return {"type": "doc", "content": adf["content"][-2:]}


def markdown_of(adf: object, media_ids: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return a document as Markdown; empty if it is not a document."""
    return to_markdown(adf, media_ids=media_ids) if isinstance(adf, dict) else ""


def split_criteria(adf: object) -> tuple[object, tuple[str, ...]]:
    """Split acceptance criteria off the end of a description.

    They are a heading of level 3, "Acceptance Criteria", and a bullet list of plain paragraphs,
    and nothing after that; anything of another shape stays description.

    Returns:
        The rest of the description, and each criterion's Markdown; no criteria where the shape
        is not exactly that.
    """
    match adf:
        case {"content": [*body, heading, {"type": "bulletList", "content": list(items)}], **rest}:
            if _is_criteria_heading(heading) and not is_too_large_for_jira(adf):
                criteria = _criteria_if_all_fit(items)
                if criteria:
                    return {**rest, "content": body}, criteria
    return adf, ()


def description_adf(
    ticket: Ticket, *, body: object = None, media_ids: Mapping[str, str] = MappingProxyType({})
) -> dict[str, object]:
    """Return a ticket's description in Jira's form, its acceptance criteria at the end.

    Args:
        ticket: The ticket.
        body: The description in Jira's form, if the Markdown of it is not to be read; criteria at
            its end are not taken over.
        media_ids: The media ID of each file that is attached to the issue, by its name.

    Returns:
        The document. What is longer than Jira takes is there as it is, for it is not sent.
    """
    texts = ticket.acceptance_criteria
    if body is None:
        texts = (ticket.description, *texts)
    read = (
        code_block_document if is_surely_too_long(*texts) else partial(to_adf, media_ids=media_ids)
    )
    kept = split_criteria(body)[0] if body is not None else read(ticket.description)
    document: dict[str, object] = dict(kept) if isinstance(kept, dict) else {}
    if ticket.acceptance_criteria:
        heading = {
            "type": "heading",
            "attrs": {"level": 3},
            "content": [{"type": "text", "text": _CRITERIA_HEADING}],
        }
        items = [
            {"type": "listItem", "content": read(text).get("content", [])}
            for text in ticket.acceptance_criteria
        ]
        content = document.get("content")
        before = content if isinstance(content, list) else []
        document["content"] = [*before, heading, {"type": "bulletList", "content": items}]
    return document


def _is_criteria_heading(node: object) -> bool:
    match node:
        case {"type": "heading", "attrs": {"level": 3}, "content": [{"text": text, **rest}]}:
            return text == _CRITERIA_HEADING and not rest.get("marks")
    return False


def _criteria_if_all_fit(items: Iterable[object]) -> tuple[str, ...]:
    """Return the criteria in the items of a list; none if one of the items is no criterion."""
    criteria: list[str] = []
    for item in items:
        match item:
            case {"content": [{"type": "paragraph", "content": [_, *_]} as paragraph]}:
                document = {"type": "doc", "version": 1, "content": [paragraph]}
                criteria.append(markdown_of(document).strip())
            case _:
                return ()
    return tuple(criteria) if all(text and "\n" not in text for text in criteria) else ()


@lru_cache(maxsize=256)  # each text of a page of tickets is needed several times: old, and new
def read_ticket(text: str) -> Ticket | None:
    """Read the ticket of a base; None where this version cannot read it."""
    try:
        tickets = parse(text).tickets
    except TicketSyntaxError:  # pragma: no cover - another version wrote it
        return None
    return tickets[0] if len(tickets) == 1 else None


def count_edits(base: Ticket, local: Ticket) -> int:
    """Count the edits from a base to a file; after a killed pull, the nearest of several bases counts."""
    old = issues_by_key(base)
    return sum(
        len(find_changes(old[key], issue)) if key in old else 1
        for key, issue in issues_by_key(local).items()
    )


#: Replaces a line end inside a criterion where criteria are lines; no ticket holds a lone CR.
CRITERION_NEWLINE = "\r"


class CorePart(Enum):
    """The parts that every issue has; the values are their names for people."""

    TITLE = "Title"
    DESCRIPTION = "Description"
    CRITERIA = "Acceptance Criteria"


@dataclass(frozen=True, slots=True)
class RichTextPart:
    """A rich-text field of an issue.

    Attributes:
        name: Its name in the file.
    """

    name: str


@dataclass(frozen=True, slots=True)
class CommentPart:
    """A comment of an issue.

    Attributes:
        id: Its number in Jira; empty for a new one.
        text_if_new: The text of a new one, by which it is known; empty for others.
        equal_new_comments_before: How many new ones with the same text are before it.
    """

    id: str
    text_if_new: str = ""
    equal_new_comments_before: int = 0

    @property
    def is_new(self) -> bool:
        """Whether Jira does not have it yet."""
        return not self.id

    @property
    def name(self) -> str:
        """What people call it."""
        return "New comment" if self.is_new else f"Comment {self.id}"


def _with_comment_texts(issue: Ticket, texts: Mapping[CommentPart, str]) -> tuple[Comment, ...]:
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


def merge_comments(
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


#: A part of an issue: a core part, a comment, a rich-text field, or the name of a field with a line.
#: A field may be named "Title" as well.
Part: TypeAlias = CorePart | CommentPart | RichTextPart | str

#: The parts that are one document in Jira.
DESCRIPTION_PARTS = frozenset({CorePart.DESCRIPTION, CorePart.CRITERIA})

_STATUS_LINE_NAME = "Status"
#: The prefix of a stored part that is not a field; no line of a file begins with it.
_NON_FIELD_PREFIX = "#"
#: The prefix of a comment; its number follows.
_COMMENT_PREFIX = "#comment "
#: The prefix of a rich-text field; its name follows.
_RICH_TEXT_PREFIX = "#text "


@dataclass(frozen=True, slots=True)
class Change:
    """One part of one issue that differs between two versions of it.

    Attributes:
        part: Which part.
        old: Its text before; empty for none.
        new: Its text after.
    """

    part: Part
    old: str
    new: str

    @property
    def old_with_newlines(self) -> str:
        """The old text as people read it."""
        return self.old.replace(CRITERION_NEWLINE, "\n")

    @property
    def new_with_newlines(self) -> str:
        """The new text as people read it."""
        return self.new.replace(CRITERION_NEWLINE, "\n")

    @property
    def name(self) -> str:
        """What people call the part."""
        return part_name(self.part)


def part_name(part: Part) -> str:
    """Return what people call a part."""
    if isinstance(part, str):
        return part
    return part.value if isinstance(part, CorePart) else part.name


def stored_name(part: Part) -> str:
    """Return the name of a part in the state, which no other part of an issue has."""
    if isinstance(part, CommentPart):
        return f"{_COMMENT_PREFIX}{part.id}"
    if isinstance(part, RichTextPart):
        return f"{_RICH_TEXT_PREFIX}{part.name}"
    return part if isinstance(part, str) else f"{_NON_FIELD_PREFIX}{part.name}"


def stored_part(name: str) -> Part:
    """Return the part with a `stored_name`."""
    if name.startswith(_COMMENT_PREFIX):
        return CommentPart(name.removeprefix(_COMMENT_PREFIX))
    if name.startswith(_RICH_TEXT_PREFIX):
        return RichTextPart(name.removeprefix(_RICH_TEXT_PREFIX))
    return CorePart[name[1:]] if name.startswith(_NON_FIELD_PREFIX) else name


def is_merged_by_line(part: Part) -> bool:
    """Return whether a part is a rich text of an issue's own; these are merged by line."""
    return part in DESCRIPTION_PARTS or isinstance(part, RichTextPart)


def is_markdown(part: Part) -> bool:
    """Return whether a part is a text of several lines, in Markdown."""
    return part in DESCRIPTION_PARTS or isinstance(part, RichTextPart | CommentPart)


def may_show_local_pictures(part: Part) -> bool:
    """Return whether a text may show files on disk, which a push attaches."""
    return part is CorePart.DESCRIPTION or isinstance(part, CommentPart)


def part_texts(issue: Ticket) -> dict[Part, str]:
    """Return an issue's parts as text, its sub-tasks left out; criteria one a line."""
    criteria = (text.replace("\n", CRITERION_NEWLINE) for text in issue.acceptance_criteria)
    own: dict[Part, str] = {
        CorePart.TITLE: issue.title,
        CorePart.DESCRIPTION: issue.description,
        CorePart.CRITERIA: "\n".join(criteria),
    }
    own.update(issue.fields.items())
    own |= {RichTextPart(name): text for name, text in issue.rich_texts.items()}
    before: Counter[str] = Counter()
    for comment in issue.comments:
        part = CommentPart(comment.id)
        if comment.is_new:
            part = CommentPart("", comment.text, before[comment.text])
            before[comment.text] += 1
        own[part] = comment.text
    return own


def criteria_of(text: str) -> tuple[str, ...]:
    """Parse the criteria from their part."""
    return tuple(
        criterion.replace(CRITERION_NEWLINE, "\n") for criterion in text.split("\n") if criterion
    )


def are_equivalent(part: Part, one: str, other: str) -> bool:
    """Return whether two texts of a part mean the same to Jira."""
    if one == other:
        return True
    if is_markdown(part):
        # `_texts_jira_would_not_get` is the slower one, and needed only where the documents are equal.
        return all(
            meaning(part, one) == meaning(part, other)
            for meaning in (_canonical_document, _texts_jira_would_not_get)
        )
    # Transitions match a status in any case; there may be none to the status Jira has already.
    return part == _STATUS_LINE_NAME and one.casefold() == other.casefold()


def _canonical_document(part: Part, text: str) -> object:
    """Return what Jira would get from a text; files are there by their names."""
    if part is not CorePart.CRITERIA:
        return canonical(to_adf(text, media_ids=NAMES_AS_MEDIA_IDS))
    issue = Ticket("", acceptance_criteria=criteria_of(text))
    return canonical(description_adf(issue, media_ids=NAMES_AS_MEDIA_IDS))


def _texts_jira_would_not_get(part: Part, text: str) -> object:
    """Return what Jira would not get from a text."""
    if part is not CorePart.CRITERIA:
        return lost_texts(text)
    return () if is_surely_too_long(text) else tuple(map(lost_texts, criteria_of(text)))


def find_changes(before: Ticket, after: Ticket) -> tuple[Change, ...]:
    """List what a newer version of one issue changes; a field it does not mention is unchanged."""
    old = part_texts(before)
    return tuple(
        Change(part, old.get(part, ""), text)
        for part, text in part_texts(after).items()
        if not are_equivalent(part, text, old.get(part, ""))
    )


def with_parts(ticket: Ticket, key: str, texts: Mapping[Part, str]) -> Ticket:
    """Return a ticket with other texts for some parts of one of its issues.

    Args:
        ticket: The ticket.
        key: The issue, its head or a sub-task.
        texts: The parts; a field without text has a line, or a section, without one then.
    """
    issue = issues_by_key(ticket).get(key)
    if issue is None:
        return ticket
    criteria = issue.acceptance_criteria
    if CorePart.CRITERIA in texts:
        criteria = criteria_of(texts[CorePart.CRITERIA])
    fields = {part: text for part, text in texts.items() if isinstance(part, str)}
    comments = {part: text for part, text in texts.items() if isinstance(part, CommentPart)}
    rich = {part.name: text for part, text in texts.items() if isinstance(part, RichTextPart)}
    new = replace(
        issue,
        title=texts.get(CorePart.TITLE, issue.title),
        description=texts.get(CorePart.DESCRIPTION, issue.description),
        acceptance_criteria=criteria,
        fields={**issue.fields, **fields},
        rich_texts={**issue.rich_texts, **rich},
        comments=_with_comment_texts(issue, comments) if comments else issue.comments,
    )
    return map_issues(ticket, lambda one: new if one is issue else one)


def map_issues(ticket: Ticket, changed: Callable[[Ticket], Ticket]) -> Ticket:
    """Return a ticket whose head and sub-tasks are what a function returns for each of them."""
    head, tasks = changed(ticket), tuple(map(changed, ticket.tasks))
    return head if tasks == ticket.tasks else replace(head, tasks=tasks)


def with_renamed_keys(ticket: Ticket, renamed: Mapping[str, str]) -> Ticket:
    """Return a ticket with the keys that its issues have now.

    Args:
        ticket: The ticket.
        renamed: The new key of each issue that has another one, by the old key.
    """

    def changed(issue: Ticket) -> Ticket:
        key = renamed.get(issue.key or "")
        return issue if key is None else replace(issue, key=key)

    return map_issues(ticket, changed)


def issues_by_key(ticket: Ticket) -> dict[str, Ticket]:
    """Return the issues of a ticket that have keys, by key: its head and its sub-tasks."""
    return {issue.key: issue for issue in (ticket, *ticket.tasks) if issue.key is not None}


def find_changes_by_key(before: Ticket, after: Ticket) -> dict[str, tuple[Change, ...]]:
    """List what a newer version of a ticket changes in each of its issues that has changes."""
    old = issues_by_key(before)
    return {
        key: issue_changes
        for key, issue in issues_by_key(after).items()
        if key in old and (issue_changes := find_changes(old[key], issue))
    }


class Side(Enum):
    """The side whose version of a clashing part is taken."""

    LOCAL = "local"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Versions:
    """Three versions of a ticket.

    Attributes:
        base: The ticket at the last sync; None for no sync.
        local: The ticket in its file.
        remote: The ticket in Jira.
        link_line_names: The names of the lines that hold links.
        older_values_in_file: The values of earlier syncs that the file holds, by key, as changes of the
            last one. The ticket of ``local`` has those of the last sync instead.
    """

    base: Ticket | None
    local: Ticket
    remote: Ticket
    link_line_names: frozenset[str] = frozenset()
    older_values_in_file: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
