"""Converts Jira's issues to tickets, and rich texts back. Pure.

A family is an issue with its sub-tasks in the same ticket. Whether a file holds a rich text exactly is
tested on the text that will be written: ADF -> Markdown -> file text -> parsed again -> ADF.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ticketr.app.jira.adf import is_too_large, to_adf, visible, weight
from ticketr.app.jira.models import Issue
from ticketr.app.sync.compare.attachments import (
    ATTACHMENT_FIELD,
    ATTACHMENTS,
    attachment_line,
    files_of,
    slim_attachments,
)
from ticketr.app.sync.compare.columns import PARENT, Columns
from ticketr.app.sync.compare.comments import (
    COMMENT_FIELD,
    as_document,
    documents_in,
    is_document,
    jira_comments,
    slim_comments,
)
from ticketr.app.sync.compare.diff import (
    DescriptionText,
    description_adf,
    description_text,
    markdown_of,
)
from ticketr.app.sync.compare.jira_links import LINK_FIELD, link_lines, slim_links
from ticketr.app.sync.compare.times import ESTIMATES, LONGEST_SECONDS, duration_text
from ticketr.app.tickets import Ticket, parse, render_ticket

#: What is between a choice and the second one below it.
BELOW = " > "
#: What an issue without a description weighs.
_ISSUE = 100


@dataclass(frozen=True, slots=True)
class FamilyText:
    """A family as it will be in a file.

    Attributes:
        ticket: The ticket that is parsed from ``text``.
        text: The text of the file.
        inexact: Keys of the issues with a rich text that cannot be restored exactly from the text;
            the state keeps their ADF.
        texts: Pairs of the name and the ID of each field with a section of its own.
    """

    ticket: Ticket
    text: str
    inexact: frozenset[str]
    texts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class KnownText:
    """The rich texts of an issue that need not be converted again.

    Attributes:
        document: The description in Jira's form; None for none.
        files: The media ID of each file that is attached to the issue, by its name.
        description: Its Markdown, without the criteria.
        criteria: The acceptance criteria at its end.
        texts: The document and the Markdown of each field with a section of its own, by its name.
    """

    document: object
    files: Mapping[str, str]
    description: str
    criteria: tuple[str, ...]
    texts: Mapping[str, tuple[object, str]] = field(default_factory=dict)

    def text_of(self, name: str, document: object) -> str | None:
        """Return the Markdown of a field with a document; None if it has to be converted."""
        known = self.texts.get(name)
        return known[1] if known is not None and known[0] == document else None

    def is_of(self, issue: Issue) -> bool:
        """Return whether an issue has this description, and the same files."""
        fields = issue.fields
        return self.document == fields.get("description") and self.files == files_of(fields)


def is_subtask(issue: Issue) -> bool:
    """Return whether an issue is a sub-task, which lives in its parent's ticket."""
    kind = issue.fields.get("issuetype")
    return isinstance(kind, dict) and kind.get("subtask") is True and parent_id(issue) is not None


def parent_id(issue: Issue) -> str | None:
    """Return the ID of an issue's parent (an epic counts), or None."""
    return _text_at(issue.fields.get("parent"), "id")


def subtask_ids(issue: Issue) -> tuple[str, ...]:
    """Return the IDs of an issue's sub-tasks in Jira's own order."""
    subtasks = issue.fields.get("subtasks")
    if not isinstance(subtasks, list):
        return ()
    return tuple(text for subtask in subtasks if (text := _text_at(subtask, "id")) is not None)


def type_id(fields: Mapping[str, object]) -> str:
    """Return the ID of the issue type in Jira's fields; empty if there is none."""
    kind = fields.get("issuetype")
    value = kind.get("id") if isinstance(kind, dict) else None
    return value if isinstance(value, str) else ""


def updated(issue: Issue) -> str:
    """Return the moment of an issue's last change, as Jira writes it."""
    value = issue.fields.get("updated")
    return value if isinstance(value, str) else ""


def family_text(
    head: Issue,
    subtasks: Sequence[Issue],
    columns: Columns,
    known: Mapping[str, KnownText] = MappingProxyType({}),
) -> FamilyText:
    """Render a family as text, and find out what the text cannot hold exactly.

    Args:
        head: The issue that gives the ticket its heading.
        subtasks: The sub-tasks to file under it, in order.
        columns: The fields to write.
        known: Texts that hold a description exactly, by the IDs of their issues. They spare the
            conversion, and with it the import of what converts.

    Returns:
        The text, the ticket that a reader gets from it, and the keys that are not exact.
    """
    issues = (head, *subtasks)
    same = {issue.key: was for issue in issues if (was := known.get(issue.id)) and was.is_of(issue)}
    whole: set[str] = set()  # keys whose criteria stay in the description
    while True:
        described = {issue.key: _description(issue, whole, same) for issue in issues}
        made, *tasks = (
            _ticket(
                issue,
                columns,
                described[issue.key],
                _field_texts(issue, columns, same.get(issue.key)),
                nested=issue is not head,
            )
            for issue in issues
        )
        text = render_ticket(replace(made, tasks=tuple(tasks)) if tasks else made)
        (ticket,) = parse(text).tickets
        read = (ticket, *ticket.tasks)
        pairs = tuple(zip(issues, read, strict=True))
        inexact = {
            issue.key
            for issue, parsed in pairs
            if issue.key not in same and not _is_exact(issue, parsed, described[issue.key])
        }
        # Criteria that do not survive as a section of their own are tried again as description.
        with_criteria = (ticket.key for ticket in read if ticket.acceptance_criteria)
        again = (inexact - whole).intersection(with_criteria)
        if not again:
            inexact |= {
                parsed.key
                for parsed, issue in pairs
                if not _has_texts(parsed, issue, columns, same.get(parsed.key))
            }
            return FamilyText(ticket, text, frozenset(inexact), columns.texts)
        whole |= again


def weight_of(issues: Iterable[Issue], most: int) -> int:
    """Estimate the work of rendering a family; one character is a work of 1."""
    total = 0
    for issue in issues:
        total += _ISSUE + sum(weight(document, most) for document in documents_in(issue.fields))
        total += sum(len(value) for value in issue.fields.values() if isinstance(value, list))
        total += sum(weight(comment.body, most) for comment in jira_comments(issue.fields))
        if total > most:
            break
    return total


def field_text(value: object) -> str:
    """Write one field's value as the text of its line; empty for no value.

    Lists are joined by commas; an entry that holds a comma or a quote is put in quotes, as in CSV.
    """
    if isinstance(value, list):
        entries = [text for entry in value if (text := _entry_text(entry))]
        return ", ".join(_quoted(entry) for entry in entries)
    return _entry_text(value)


def _line_text(field_id: str, value: object) -> str:
    if field_id in ESTIMATES and isinstance(value, int | float) and abs(value) < LONGEST_SECONDS:
        return duration_text(value)
    return field_text(value)


def slim(fields: Mapping[str, object]) -> dict[str, object]:
    """Return only what files and comparisons need of an issue's fields: no avatars or addresses.

    Rich texts are kept unchanged, since a file may not hold all of them.
    """
    kept = {
        name: value if is_document(value) or name == "description" else _slim(value)
        for name, value in fields.items()
        if value is not None
    }
    if COMMENT_FIELD in kept:
        kept[COMMENT_FIELD] = slim_comments(fields[COMMENT_FIELD])
    if ATTACHMENT_FIELD in kept:
        kept[ATTACHMENT_FIELD] = slim_attachments(fields)
    if LINK_FIELD in kept:
        kept[LINK_FIELD] = slim_links(fields[LINK_FIELD])
    return kept


_KEPT_KEYS = ("id", "key", "name", "displayName", "accountId", "value", "state", "subtask", "child")


def _slim(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: kept if type(kept) is str else _slim(kept)
            for name in _KEPT_KEYS
            if (kept := value.get(name)) is not None
        }
    if isinstance(value, list):
        return [_slim(entry) for entry in value if entry is not None]
    return value


def _description(
    issue: Issue, whole: Collection[str], same: Mapping[str, KnownText]
) -> DescriptionText:
    if (known := same.get(issue.key)) is not None:
        return DescriptionText(known.description, known.criteria)
    adf = issue.fields.get("description")
    return description_text(adf, files_of(issue.fields), split=issue.key not in whole)


def _ticket(
    issue: Issue,
    columns: Columns,
    description: DescriptionText,
    texts: Mapping[str, str],
    *,
    nested: bool,
) -> Ticket:
    fields = {
        name: text
        for name, field_id in columns.names
        if (value := issue.fields.get(field_id)) is not None
        and (text := _line_text(field_id, value))
    }
    if columns.links:
        named = dict(columns.names)
        lines = link_lines(issue.fields)
        fields |= {line: keys for line, keys in lines.items() if line not in named}
    if columns.attachments and (line := attachment_line(issue.fields)):
        fields.setdefault(ATTACHMENTS, line)
    parent_key = _text_at(issue.fields.get("parent"), "key")
    if parent_key and not nested:
        fields[PARENT] = parent_key
    summary = issue.fields.get("summary")
    return Ticket(
        title=summary if isinstance(summary, str) else "",
        key=issue.key,
        description=description.markdown,
        fields=fields,
        acceptance_criteria=description.criteria,
        comments=(
            tuple(comment.in_file() for comment in jira_comments(issue.fields))
            if columns.comments
            else ()
        ),
        texts=texts,
    )


def _is_exact(issue: Issue, read: Ticket, written: DescriptionText) -> bool:
    if written.is_exact_in(read):
        return True
    original = issue.fields.get("description")
    if is_too_large(original):
        return False
    files = files_of(issue.fields)
    return visible(description_adf(read, files=files)) == visible(original)


def _field_texts(issue: Issue, columns: Columns, known: KnownText | None) -> dict[str, str]:
    """Return the Markdown of the fields with sections of their own, by their names."""
    files, texts = files_of(issue.fields), dict[str, str]()
    for name, field_id in columns.texts:
        document = issue.fields.get(field_id)
        text = known.text_of(name, document) if known is not None else None
        texts[name] = markdown_of(as_document(document), files) if text is None else text
    return {name: text for name, text in texts.items() if text}


def _has_texts(issue: Issue, read: Ticket, columns: Columns, known: KnownText | None) -> bool:
    """Return whether the rich texts of an issue, without its description, are exact."""
    files = files_of(issue.fields)
    for name, field_id in columns.texts:
        document = issue.fields.get(field_id)
        if known is not None and known.text_of(name, document) is not None:
            continue
        original = as_document(document)
        if original is None:
            continue
        if is_too_large(original):
            return False
        text = read.texts.get(name, "")
        if visible(to_adf(text, files=files)) != visible(original):
            return False
    return True


def _entry_text(value: object) -> str:
    if isinstance(value, dict):
        if value.get("state") == "closed":  # a sprint that is over says nothing about today
            return ""
        names = map(value.get, ("displayName", "name", "value", "key"))
        text = next((name for name in names if isinstance(name, str) and name), "")
        child = value.get("child")
        below = _entry_text(child) if child is not None else ""
        return f"{text}{BELOW}{below}" if below else text
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (str, int, float)):
        return str(value)
    return ""


def _quoted(entry: str) -> str:
    if not any(mark in entry for mark in ',"'):
        return entry
    return '"' + entry.replace('"', '""') + '"'


def _text_at(value: object, name: str) -> str | None:
    text = value.get(name) if isinstance(value, dict) else None
    return text if isinstance(text, str) and text else None
