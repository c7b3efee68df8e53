"""Converts Jira's issues to tickets, and rich texts back. Pure.

`Columns` chooses which of a site's fields a file holds, as lines or as sections. A line of links has the
words of a kind of link in one direction, such as ``Blocks`` or ``Is blocked by``, and the keys of the
issues at the other end.

A family is an issue with its sub-tasks in the same ticket. Whether a file holds a rich text exactly is
tested on the ticket that will be written: ADF -> Markdown -> `Ticket` -> ADF. The text of a ticket
always parses as an equal ticket, so it is not parsed again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ticketr.app.config.checks import NameOrUserNamedField, UserNamedField
from ticketr.app.jira.adf import (
    SIMPLE_TEXT_SPEEDUP_FACTOR,
    conversion_cost,
    is_too_large_for_jira,
    marklas_cost,
    to_adf,
    unsized_canonical,
)
from ticketr.app.jira.models import Field, Issue, object_of, objects_in, text_of
from ticketr.app.sync.compare import diff, times
from ticketr.app.sync.compare.attachments import (
    ATTACHMENT_FIELD,
    ATTACHMENTS_LINE_NAME,
    KEPT_ATTACHMENT_KEYS,
    attachment_names_and_sizes,
    csv_quote_if_needed,
    media_ids_by_name,
)
from ticketr.app.sync.compare.comments import (
    COMMENT_FIELD,
    DESCRIPTION_FIELD,
    KEPT_COMMENT_KEYS,
    jira_comments,
    rich_text_documents_in,
    wrap_if_plain_text,
)
from ticketr.app.sync.errors import UnknownFieldInSettings, UnsupportedFieldInSettings
from ticketr.app.tickets import Ticket, is_key, key_order, render_ticket

#: What is written under ``## Fields``, in this order: the line's name and Jira's field.
STANDARD_NAMES_AND_IDS = (
    ("Type", "issuetype"),
    ("Status", "status"),
    ("Priority", "priority"),
    ("Assignee", "assignee"),
    ("Reporter", "reporter"),
    ("Labels", "labels"),
    ("Components", "components"),
    ("Fix Version", "fixVersions"),
)
#: Custom fields that are written where a site has them, found by their names.
DEFAULT_CUSTOM_FIELD_NAMES = ("Sprint", "Story Points", "Story point estimate")

#: The line that names the parent of an issue that is not a sub-task.
PARENT_LINE_NAME = "Parent"
#: Lines whose names the settings cannot change.
_FIXED, _SPRINT = ("Type", "Status"), "Sprint"
#: Fields that are never lines: they have their own section of a file, or none.
IDS_WITHOUT_LINES = frozenset(
    {"summary", "description", "parent", "subtasks", "issuekey", "comment"}
)

_RICH_TEXT_HEADING_PREFIX = "## Field: "

#: Why no line can hold a field.
_TRACKED_TIME_REASON = "it holds tracked time"
_ASSETS_REASON = "it holds objects of Assets"
_ENTRIES_TOO_DETAILED_REASON = "it holds more of each entry than a line can"

#: By the field's ID.
_UNSUPPORTED_REASON_BY_ID = dict.fromkeys(
    (
        "aggregateprogress",
        "aggregatetimeestimate",
        "aggregatetimeoriginalestimate",
        "aggregatetimespent",
        "progress",
        "timespent",
        "timetracking",
        "workratio",
    ),
    _TRACKED_TIME_REASON,
)
#: By the kind of its value, or of its members.
_UNSUPPORTED_REASON_BY_KIND = {
    "timetracking": _TRACKED_TIME_REASON,
    "progress": _TRACKED_TIME_REASON,
    "worklog": _TRACKED_TIME_REASON,
    "cmdb-object-field": _ASSETS_REASON,
    "attachment": _ENTRIES_TOO_DETAILED_REASON,
    "comments-page": _ENTRIES_TOO_DETAILED_REASON,
    "issuelinks": _ENTRIES_TOO_DETAILED_REASON,
    "votes": _ENTRIES_TOO_DETAILED_REASON,
    "watches": _ENTRIES_TOO_DETAILED_REASON,
}
#: By what the name of the kind of a custom field holds; Atlassian's apps name them.
_UNSUPPORTED_REASON_BY_CUSTOM_KIND = {
    ":rm-teams-": "it holds a team of Advanced Roadmaps",
    ".cmdb:": _ASSETS_REASON,
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which of a site's fields are written to files.

    Attributes:
        line_names_and_ids: Pairs of the name in the file and Jira's field ID, in the order of
            writing.
        has_comments: Whether files hold comments.
        has_links: Whether files hold lines of links to other issues.
        lists_attachments: Whether files list attachments.
        section_names_and_ids: The same pairs for rich-text fields, which have sections of their own.
    """

    line_names_and_ids: tuple[tuple[str, str], ...]
    has_comments: bool = False
    has_links: bool = False
    lists_attachments: bool = False
    section_names_and_ids: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        fields: Collection[Field],
        more: Iterable[NameOrUserNamedField] = (),
        *,
        comments: bool = False,
        links: bool = False,
        attachments: bool = False,
    ) -> Columns:
        """Choose the columns for a site from its own list of fields.

        Args:
            fields: Every field that the site has.
            more: Further fields that files are to hold, perhaps under names from the settings.
            comments: Whether files are to hold comments.
            links: Whether files are to hold lines of links.
            attachments: Whether files are to list attachments.

        Raises:
            UnknownFieldInSettings: The site has no such field, or the field has another place in a file.
            UnsupportedFieldInSettings: A file cannot hold one of them.
        """
        by_id = {field.id: field for field in fields}
        every: dict[str, str] = {}
        name_by_id: dict[str, str] = {}
        for site_field in fields:
            name = site_field.name.strip()  # as a file's line will have it
            if name != PARENT_LINE_NAME and site_field.id not in IDS_WITHOUT_LINES:
                every.setdefault(name, site_field.id)
                name_by_id[site_field.id] = name
        custom = ((name, every[name]) for name in DEFAULT_CUSTOM_FIELD_NAMES if name in every)
        names = [*STANDARD_NAMES_AND_IDS, *custom]
        texts: list[tuple[str, str]] = []
        for wanted_field in more:
            if not isinstance(wanted_field, str):
                field = by_id.get(wanted_field.id)
                if field is not None and (why := why_file_cannot_hold(field)):
                    raise UnsupportedFieldInSettings(
                        wanted_field.name, why, wanted_field.mapping_file
                    )
                if field is not None and has_rich_text_section(field):
                    texts = _with_mapped_field(texts, wanted_field, name_by_id)
                else:
                    names = _with_mapped_field(names, wanted_field, name_by_id)
                continue
            name = wanted_field.strip()
            if name in dict(names):
                continue
            if name not in every:
                raise UnknownFieldInSettings(name, tuple(every))
            field = by_id[every[name]]
            if why := why_file_cannot_hold(field):
                raise UnsupportedFieldInSettings(name, why)
            chosen = texts if has_rich_text_section(field) else names
            # A field has one place: what Jira calls "Issue Type" is "Type" here.
            if field.id not in dict(chosen).values():
                chosen.append((name, field.id))
        return cls(tuple(names), comments, links, attachments, tuple(texts))

    @property
    def line_and_section_fields(self) -> tuple[tuple[str, str], ...]:
        """The names and IDs of the fields that are lines, and of those with sections of their own."""
        return (*self.line_names_and_ids, *self.section_names_and_ids)

    @property
    def requested_ids(self) -> tuple[str, ...]:
        """The field IDs to ask Jira for."""
        always = ("summary", "description", "updated", "parent", "subtasks")
        ids = [field_id for _, field_id in self.names_and_ids_in_files]
        # To send one estimate, a push needs the other one.
        more = times.ESTIMATE_KEY_BY_ID if times.ESTIMATE_KEY_BY_ID.keys() & ids else ()
        return tuple(dict.fromkeys((*always, *ids, *more)))

    @property
    def names_and_ids_in_files(self) -> tuple[tuple[str, str], ...]:
        """What files hold.

        A pull compares it with that of the last pull, to find a change.
        """
        more = [("## Comments", COMMENT_FIELD)] if self.has_comments else []
        more += [("# Links", LINK_FIELD)] if self.has_links else []
        more += [("# Attachments", ATTACHMENT_FIELD)] if self.lists_attachments else []
        texts = (
            (f"{_RICH_TEXT_HEADING_PREFIX}{name}", field_id)
            for name, field_id in self.section_names_and_ids
        )
        return (*self.line_names_and_ids, *more, *texts)


def _with_mapped_field(
    names: list[tuple[str, str]], field: UserNamedField, name_by_id: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the columns with one more, which replaces those with its name or its field."""
    if field.name == PARENT_LINE_NAME or field.id not in {*name_by_id, *dict(names).values()}:
        own = next((field_id for field_id, name in name_by_id.items() if name == field.name), None)
        raise UnknownFieldInSettings(field.name, (*name_by_id.values(),), field.mapping_file, own)
    taken = [pair for pair in names if field.name == pair[0] or field.id == pair[1]]
    if any(name in _FIXED or (name, field_id) == (_SPRINT, field.id) for name, field_id in taken):
        return names  # a push knows these lines by their names
    at = names.index(taken[0]) if taken else len(names)
    rest = [pair for pair in names[at:] if pair not in taken]
    return [*names[:at], (field.name, field.id), *rest]


def section_names_and_ids_in(stored: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return `Columns.section_names_and_ids` from the value of `Columns.names_and_ids_in_files`."""
    return tuple(
        (name.removeprefix(_RICH_TEXT_HEADING_PREFIX), field_id)
        for name, field_id in stored
        if name.startswith(_RICH_TEXT_HEADING_PREFIX)
    )


def has_rich_text_section(field: Field) -> bool:
    """Return whether a field other than the description holds rich text, so that it has a section."""
    return field.id == "environment" or ":textarea" in field.custom_type


def why_file_cannot_hold(field: Field) -> str | None:
    """Tell why a file cannot hold a field; None if it can."""
    by_kind = (
        _UNSUPPORTED_REASON_BY_KIND.get(field.schema_type),
        _UNSUPPORTED_REASON_BY_KIND.get(field.item_type),
    )
    by_custom = (
        why for part, why in _UNSUPPORTED_REASON_BY_CUSTOM_KIND.items() if part in field.custom_type
    )
    return next(filter(None, (_UNSUPPORTED_REASON_BY_ID.get(field.id), *by_kind, *by_custom)), None)


#: Jira's field that holds the links.
LINK_FIELD = "issuelinks"

_ISSUE_KEY_SEPARATOR_PATTERN = re.compile(r"[,;\s]+")


@dataclass(frozen=True, slots=True)
class JiraLink:
    """A link of an issue.

    Attributes:
        id: Its ID.
        line_name: The name of its line in a file.
        key: The key of the issue at the other end.
    """

    id: str
    line_name: str
    key: str


def link_line_name(words: str) -> str:
    """Return the name of the line for the words of a kind of link."""
    words = " ".join(words.split())
    return words[:1].upper() + words[1:]


def jira_links(fields: Mapping[str, object]) -> tuple[JiraLink, ...]:
    """Return the links among the fields of an issue, in Jira's order."""
    links: list[JiraLink] = []
    for entry in objects_in(fields.get(LINK_FIELD)):
        for end, direction in (("outwardIssue", "outward"), ("inwardIssue", "inward")):
            key = text_of(object_of(entry.get(end)).get("key"))
            words = text_of(object_of(entry.get("type")).get(direction))
            if is_key(key) and words.strip():
                links.append(JiraLink(text_of(entry.get("id")), link_line_name(words), key))
                break
    return tuple(links)


def _linked_keys_by_line_name(fields: Mapping[str, object]) -> dict[str, str]:
    """Return the lines of an issue's links: the keys on each in order, by the line's name."""
    keys: dict[str, set[str]] = {}
    for link in jira_links(fields):
        keys.setdefault(link.line_name, set()).add(link.key)
    return {line: ", ".join(sorted(keys[line], key=key_order)) for line in sorted(keys)}


def words_with_keys_upper(text: str) -> tuple[str, ...]:
    """Return the keys on a line, each once; other words are returned unchanged."""
    words = (word for word in _ISSUE_KEY_SEPARATOR_PATTERN.split(text) if word)
    return tuple(dict.fromkeys(word.upper() if is_key(word.upper()) else word for word in words))


def merge_link_keys(base: str, local: str, remote: str) -> str:
    """Return the keys of a line after what both sides have added and removed.

    Args:
        base: The line at the last sync.
        local: The line in the file; it stays as it is if Jira has changed nothing.
        remote: The line in Jira.
    """
    old, here, there = map(words_with_keys_upper, (base, local, remote))
    added = (text for text in there if text not in old and text not in here)
    gone = set(old).difference(there)
    kept = [text for text in here if text not in gone]
    merged = (*kept, *added)
    if set(merged) == set(here):
        return local
    return remote if set(merged) == set(there) else ", ".join(merged)


def removed_links(
    fields: Mapping[str, object], line: str, before: str, text: str
) -> tuple[JiraLink, ...]:
    """Return the links that the edit of a line removes.

    Args:
        fields: The fields of the issue in Jira.
        line: The name of the line.
        before: Its text at the last sync; a link that it lacks is nothing that the user removed.
        text: Its text in the file.
    """
    gone = set(words_with_keys_upper(before)).difference(words_with_keys_upper(text))
    return tuple(link for link in jira_links(fields) if link.line_name == line and link.key in gone)


#: What is between a choice and the second one below it.
CASCADE_SEPARATOR = " > "
#: What an issue without a description costs.
_BARE_ISSUE_CONVERSION_COST = 60


@dataclass(frozen=True, slots=True)
class TicketAndText:
    """A family as it will be in a file.

    Attributes:
        ticket: The ticket that ``text`` parses as, without line numbers.
        text: The text of the file.
        inexact_keys: Keys of the issues with a rich text that cannot be restored exactly from the
            text; the state keeps their ADF.
        section_names_and_ids: Pairs of the name and the ID of each field with a section of its own.
    """

    ticket: Ticket
    text: str
    inexact_keys: frozenset[str]
    section_names_and_ids: tuple[tuple[str, str], ...] = ()


def is_subtask(issue: Issue) -> bool:
    """Return whether an issue is a sub-task, which lives in its parent's ticket."""
    kind = object_of(issue.fields.get("issuetype"))
    return kind.get("subtask") is True and parent_id(issue) is not None


def parent_id(issue: Issue) -> str | None:
    """Return the ID of an issue's parent (an epic counts), or None."""
    return text_of(object_of(issue.fields.get("parent")).get("id")) or None


def subtask_ids(issue: Issue) -> tuple[str, ...]:
    """Return the IDs of an issue's sub-tasks in Jira's own order."""
    ids = (text_of(subtask.get("id")) for subtask in objects_in(issue.fields.get("subtasks")))
    return tuple(filter(None, ids))


def issue_type_id(fields: Mapping[str, object]) -> str:
    """Return the ID of the issue type in Jira's fields; empty if there is none."""
    return text_of(object_of(fields.get("issuetype")).get("id"))


def updated_at(issue: Issue) -> str:
    """Return the moment of an issue's last change, as Jira writes it."""
    return text_of(issue.fields.get("updated"))


def render_family(
    head: Issue,
    subtasks: Sequence[Issue],
    columns: Columns,
    ready: Mapping[str, diff.MarkdownAndCriteria] = MappingProxyType({}),
) -> TicketAndText:
    """Render a family as text, and find out what the text cannot hold exactly.

    Args:
        head: The issue that gives the ticket its heading.
        subtasks: The sub-tasks to file under it, in order.
        columns: The fields to write.
        ready: What `estimate_cost_and_convert_simple` has described; it spares the import of what converts.

    Returns:
        The text, the ticket that a reader gets from it, and the keys that are not exact.
    """
    issues, described = (head, *subtasks), dict(ready)
    whole: set[str] = set()  # IDs of the issues whose criteria stay in the description
    while True:
        for issue in issues:
            if issue.id not in described:
                adf, split = issue.fields.get(DESCRIPTION_FIELD), issue.id not in whole
                described[issue.id] = diff.description_text(
                    adf, media_ids_by_name(issue.fields), split=split
                )
        tasks = [_make_ticket(issue, columns, described[issue.id]) for issue in subtasks]
        ticket = _make_ticket(head, columns, described[head.id], tasks)
        pairs = tuple(zip(issues, (ticket, *tasks), strict=True))
        inexact = {
            issue.id
            for issue, made in pairs
            if not _is_description_exact(issue, made, described[issue.id])
        }
        # Criteria that do not survive as a section of their own are tried again as description.
        again = inexact.intersection(issue.id for issue, made in pairs if made.acceptance_criteria)
        if not again:
            if columns.section_names_and_ids:
                inexact |= {
                    issue.id
                    for issue, made in pairs
                    if issue.id not in inexact and not _are_sections_exact(issue, made, columns)
                }
            keys = frozenset(issue.key for issue in issues if issue.id in inexact)
            return TicketAndText(ticket, render_ticket(ticket), keys, columns.section_names_and_ids)
        whole |= again
        for issue_id in again:
            del described[issue_id]


def estimate_cost_and_convert_simple(
    issues: Iterable[Issue], max_cost: int
) -> tuple[int, dict[str, diff.MarkdownAndCriteria], list[object]]:
    """Estimate the work of rendering a family, and convert the descriptions that take little.

    Args:
        issues: The family.
        max_cost: Where to stop; the work may be a little more.

    Returns:
        About how much work it is, where converting one character of text is a work of 1; the simple
        descriptions as Markdown, by the IDs of the issues; the other rich texts, up to the stop.
    """
    cost, remaining = 0, list[object]()
    most_characters = max_cost * SIMPLE_TEXT_SPEEDUP_FACTOR
    described: dict[str, diff.MarkdownAndCriteria] = {}
    for issue in issues:
        description, *others = rich_text_documents_in(issue.fields)
        is_short = marklas_cost(description, most_characters) <= most_characters
        text = diff.simple_description(description) if is_short else None
        if text is None:
            others.append(description)
        else:
            described[issue.id] = text
            cost += len(text.markdown) // SIMPLE_TEXT_SPEEDUP_FACTOR
        remaining += others
        cost += _BARE_ISSUE_CONVERSION_COST + sum(conversion_cost(adf, max_cost) for adf in others)
        cost += sum(len(value) for value in issue.fields.values() if isinstance(value, list))
        if cost > max_cost:
            break
    return cost, described, remaining


def field_text(value: object, field_id: str = "") -> str:
    """Write one field's value as the text of its line; empty for no value.

    Lists are joined by commas; an entry that holds a comma or a quote is put in quotes, as in CSV.

    Args:
        value: The value.
        field_id: The ID of the field, by which a duration is known.
    """
    if isinstance(value, list):
        entries = [text for entry in value if (text := _entry_text(entry))]
        return ", ".join(map(csv_quote_if_needed, entries))
    if (
        field_id in times.ESTIMATE_KEY_BY_ID
        and isinstance(value, int | float)
        and abs(value) < times.MAX_DURATION_SECONDS
    ):
        return times.hours_and_minutes_text(value)
    return _entry_text(value)


def slim_fields(fields: Mapping[str, object]) -> dict[str, object]:
    """Return only what files and comparisons need of an issue's fields: no avatars or addresses.

    Rich texts are kept unchanged, since a file may not hold all of them.
    """
    return {
        name: value
        if type(value) is str
        else _keep_nested_keys(value, _KEPT_KEYS_BY_FIELD.get(name, _KEPT_VALUE_KEYS))
        for name, value in fields.items()
        if value is not None
    }


_KEPT_VALUE_KEYS = (
    *("id", "key", "name", "displayName", "accountId"),
    *("value", "state", "subtask", "child"),
)
#: The keys to keep, by the field; those of other fields are `_KEPT_VALUE_KEYS`.
_KEPT_KEYS_BY_FIELD: Mapping[str, Sequence[str]] = {
    COMMENT_FIELD: KEPT_COMMENT_KEYS,
    ATTACHMENT_FIELD: KEPT_ATTACHMENT_KEYS,
    LINK_FIELD: ("id", "key", "name", "type", "inward", "outward", "inwardIssue", "outwardIssue"),
}


def _keep_nested_keys(value: object, keys: Sequence[str]) -> object:
    if isinstance(value, dict):
        if value.get("type") == "doc":
            return value
        return {
            name: kept if type(kept) is str else _keep_nested_keys(kept, keys)
            for name in keys
            if (kept := value.get(name)) is not None
        }
    if isinstance(value, list):
        return [_keep_nested_keys(entry, keys) for entry in value if entry is not None]
    return value


def _make_ticket(
    issue: Issue,
    columns: Columns,
    description: diff.MarkdownAndCriteria,
    tasks: Sequence[Ticket] | None = None,
) -> Ticket:
    """Return an issue as a ticket; ``tasks`` is None for a sub-task."""
    fields = {
        name: text
        for name, field_id in columns.line_names_and_ids
        if (value := issue.fields.get(field_id)) is not None
        and (text := field_text(value, field_id))
    }
    if columns.has_links:
        named = dict(columns.line_names_and_ids)
        lines = _linked_keys_by_line_name(issue.fields)
        fields |= {line: keys for line, keys in lines.items() if line not in named}
    if columns.lists_attachments and (line := attachment_names_and_sizes(issue.fields)):
        fields.setdefault(ATTACHMENTS_LINE_NAME, line)
    parent_key = text_of(object_of(issue.fields.get("parent")).get("key"))
    if parent_key and tasks is not None:
        fields[PARENT_LINE_NAME] = parent_key
    media_ids = media_ids_by_name(issue.fields) if columns.section_names_and_ids else {}
    texts = (
        (name, diff.markdown_of(wrap_if_plain_text(issue.fields.get(field_id)), media_ids))
        for name, field_id in columns.section_names_and_ids
    )
    return Ticket(
        title=text_of(issue.fields.get("summary")),
        key=issue.key,
        description=description.markdown,
        fields=fields,
        acceptance_criteria=description.criteria,
        comments=(
            tuple(comment.to_file_comment() for comment in jira_comments(issue.fields))
            if columns.has_comments
            else ()
        ),
        tasks=tuple(tasks or ()),
        rich_texts={name: text for name, text in texts if text},
    )


def _is_description_exact(issue: Issue, read: Ticket, written: diff.MarkdownAndCriteria) -> bool:
    """Return whether a ticket holds all of an issue's description."""
    text = (read.description, read.acceptance_criteria)
    if written.is_exact and text == (written.markdown.removesuffix("\n"), written.criteria):
        return True
    original = issue.fields.get(DESCRIPTION_FIELD)
    if is_too_large_for_jira(original):
        return False
    media_ids = media_ids_by_name(issue.fields)
    adf = diff.description_adf(read, media_ids=media_ids)
    return unsized_canonical(adf) == unsized_canonical(original)


def _are_sections_exact(issue: Issue, read: Ticket, columns: Columns) -> bool:
    """Return whether the rich texts of an issue, without its description, are exact."""
    media_ids = media_ids_by_name(issue.fields)
    for name, field_id in columns.section_names_and_ids:
        original = wrap_if_plain_text(issue.fields.get(field_id))
        if original is not None and (
            is_too_large_for_jira(original)
            or unsized_canonical(to_adf(read.rich_texts.get(name, ""), media_ids=media_ids))
            != unsized_canonical(original)
        ):
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
        return f"{text}{CASCADE_SEPARATOR}{below}" if below else text
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (str, int, float)):
        return str(value)
    return ""
