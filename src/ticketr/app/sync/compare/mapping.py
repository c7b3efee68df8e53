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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from ticketr.app.config.checks import MappedField, WantedField
from ticketr.app.jira.adf import (
    COST_UNIT,
    conversion_cost,
    conversion_size,
    is_too_large,
    simple_markdown,
    to_adf,
    visible,
)
from ticketr.app.jira.models import Field, Issue, objects
from ticketr.app.sync.compare import diff
from ticketr.app.sync.compare.attachments import (
    ATTACHMENT_FIELD,
    ATTACHMENTS,
    attachment_line,
    files_of,
    quoted,
    slim_attachments,
)
from ticketr.app.sync.compare.comments import (
    COMMENT_FIELD,
    as_document,
    documents_in,
    jira_comments,
    slim_comments,
)
from ticketr.app.sync.compare.times import ESTIMATES, MAX_SECONDS, duration_text
from ticketr.app.sync.errors import UnknownField, UnsupportedField
from ticketr.app.tickets import Ticket, is_key, key_order, render_ticket

#: What is written under ``## Fields``, in this order: the line's name and Jira's field.
STANDARD_FIELDS = (
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
CUSTOM_FIELDS = ("Sprint", "Story Points", "Story point estimate")

#: The line that names the parent of an issue that is not a sub-task.
PARENT = "Parent"
#: Lines whose names the settings cannot change.
_FIXED, _SPRINT = ("Type", "Status"), "Sprint"
#: Fields that are never lines: they have their own section of a file, or none.
NEVER_LINES = frozenset({"summary", "description", "parent", "subtasks", "issuekey", "comment"})

_COMMENTS_SECTION = (("## Comments", "comment"),)
_LINKS_MARK = (("# Links", "issuelinks"),)
_ATTACHMENTS_SECTION = (("# Attachments", "attachment"),)
_SECTION = "## Field: "

#: Why no line can hold a field.
_HOLDS_TIME = "it holds tracked time"
_HOLDS_ASSETS = "it holds objects of Assets"
_HOLDS_MORE = "it holds more of each entry than a line can"

#: By the field's ID.
_IDS = dict.fromkeys(
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
    _HOLDS_TIME,
)
#: By the kind of its value, or of its members.
_TYPES = {
    "timetracking": _HOLDS_TIME,
    "progress": _HOLDS_TIME,
    "worklog": _HOLDS_TIME,
    "cmdb-object-field": _HOLDS_ASSETS,
    "attachment": _HOLDS_MORE,
    "comments-page": _HOLDS_MORE,
    "issuelinks": _HOLDS_MORE,
    "votes": _HOLDS_MORE,
    "watches": _HOLDS_MORE,
}
#: By what the name of the kind of a custom field holds; Atlassian's apps name them.
_CUSTOM = {
    ":rm-teams-": "it holds a team of Advanced Roadmaps",
    ".cmdb:": _HOLDS_ASSETS,
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which of a site's fields are written to files.

    Attributes:
        names: Pairs of the name in the file and Jira's field ID, in the order of writing.
        comments: Whether files hold comments.
        links: Whether files hold lines of links to other issues.
        attachments: Whether files list attachments.
        texts: The same pairs as `names` for rich-text fields, which have sections of their own.
    """

    names: tuple[tuple[str, str], ...]
    comments: bool = False
    links: bool = False
    attachments: bool = False
    texts: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        fields: Collection[Field],
        more: Iterable[WantedField] = (),
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
            UnknownField: The site has no such field, or the field has another place in a file.
            UnsupportedField: A file cannot hold one of them.
        """
        reasons = {field.id: why for field in fields if (why := unsupported(field))}
        rich = {field.id for field in fields if holds_rich_text(field)}
        ids: dict[str, str] = {}
        every: dict[str, str] = {}
        site: dict[str, str] = {}
        for site_field in fields:
            name = site_field.name.strip()  # as a file's line will have it
            if name == PARENT or site_field.id in NEVER_LINES:
                continue
            every.setdefault(name, site_field.id)
            site[site_field.id] = name
            if site_field.custom and name in CUSTOM_FIELDS:
                ids.setdefault(name, site_field.id)
        names = [*STANDARD_FIELDS, *((name, ids[name]) for name in CUSTOM_FIELDS if name in ids)]
        texts: list[tuple[str, str]] = []
        for wanted_field in more:
            if not isinstance(wanted_field, str):
                if why := reasons.get(wanted_field.id):
                    raise UnsupportedField(wanted_field.name, why, wanted_field.place)
                if wanted_field.id in rich:
                    texts = _under_own_name(texts, wanted_field, site)
                else:
                    names = _under_own_name(names, wanted_field, site)
                continue
            name = wanted_field.strip()
            if name in dict(names):
                continue
            if name not in every:
                raise UnknownField(name, tuple(every))
            if why := reasons.get(every[name]):
                raise UnsupportedField(name, why)
            chosen = texts if every[name] in rich else names
            # A field has one place: what Jira calls "Issue Type" is "Type" here.
            if every[name] not in dict(chosen).values():
                chosen.append((name, every[name]))
        return cls(tuple(names), comments, links, attachments, tuple(texts))

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """The pairs of the fields that are lines, and of those with sections of their own."""
        return (*self.names, *self.texts)

    @property
    def requested(self) -> tuple[str, ...]:
        """The field IDs to ask Jira for."""
        always = ("summary", "description", "updated", "parent", "subtasks")
        ids = [field_id for _, field_id in self.stored]
        # To send one estimate, a push needs the other one.
        more = ESTIMATES if not ESTIMATES.keys().isdisjoint(ids) else ()
        return tuple(dict.fromkeys((*always, *ids, *more)))

    @property
    def stored(self) -> tuple[tuple[str, str], ...]:
        """What files hold.

        A pull compares it with that of the last pull, to find a change.
        """
        more = (*(_COMMENTS_SECTION if self.comments else ()), *(_LINKS_MARK if self.links else ()))
        more += _ATTACHMENTS_SECTION if self.attachments else ()
        return (
            *self.names,
            *more,
            *((f"{_SECTION}{name}", field_id) for name, field_id in self.texts),
        )


def _under_own_name(
    names: list[tuple[str, str]], field: MappedField, site: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the columns with one more, which replaces those with its name or its field."""
    if field.name == PARENT or field.id not in {*site, *dict(names).values()}:
        own = next((field_id for field_id, name in site.items() if name == field.name), None)
        raise UnknownField(field.name, tuple(site.values()), field.place, own)
    taken = [pair for pair in names if field.name == pair[0] or field.id == pair[1]]
    if any(name in _FIXED or (name, field_id) == (_SPRINT, field.id) for name, field_id in taken):
        return names  # a push knows these lines by their names
    at = names.index(taken[0]) if taken else len(names)
    rest = [pair for pair in names[at:] if pair not in taken]
    return [*names[:at], (field.name, field.id), *rest]


def texts_in(stored: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return `Columns.texts` from the value of `Columns.stored`."""
    return tuple(
        (name.removeprefix(_SECTION), field_id)
        for name, field_id in stored
        if name.startswith(_SECTION)
    )


def holds_rich_text(field: Field) -> bool:
    """Return whether a field other than the description holds rich text."""
    return field.id == "environment" or ":textarea" in field.custom_type


def unsupported(field: Field) -> str | None:
    """Tell why a file cannot hold a field; None if it can."""
    by_kind = (_TYPES.get(field.schema_type), _TYPES.get(field.items))
    by_custom = (why for part, why in _CUSTOM.items() if part in field.custom_type)
    return next(filter(None, (_IDS.get(field.id), *by_kind, *by_custom)), None)


#: Jira's field that holds the links.
LINK_FIELD = "issuelinks"

_BETWEEN_KEYS = re.compile(r"[,;\s]+")


@dataclass(frozen=True, slots=True)
class JiraLink:
    """A link of an issue.

    Attributes:
        id: Its ID.
        line: The name of its line in a file.
        key: The key of the issue at the other end.
    """

    id: str
    line: str
    key: str


def line_name(words: str) -> str:
    """Return the name of the line for the words of a kind of link."""
    words = " ".join(words.split())
    return words[:1].upper() + words[1:]


def jira_links(fields: Mapping[str, object]) -> tuple[JiraLink, ...]:
    """Return the links among the fields of an issue, in Jira's order."""
    return tuple(
        link for entry in objects(fields.get(LINK_FIELD)) if (link := _read_link(entry)) is not None
    )


def _link_lines(fields: Mapping[str, object]) -> dict[str, str]:
    """Return the lines of an issue's links: the keys on each in order, by the line's name."""
    keys: dict[str, set[str]] = {}
    for link in jira_links(fields):
        keys.setdefault(link.line, set()).add(link.key)
    return {line: ", ".join(sorted(keys[line], key=key_order)) for line in sorted(keys)}


def keys_in(text: str) -> tuple[str, ...]:
    """Return the keys on a line, each once; other words are returned unchanged."""
    words = (word for word in _BETWEEN_KEYS.split(text) if word)
    return tuple(dict.fromkeys(word.upper() if is_key(word.upper()) else word for word in words))


def merged_keys(base: str, local: str, remote: str) -> str:
    """Return the keys of a line after what both sides have added and removed.

    Args:
        base: The line at the last sync.
        local: The line in the file; it stays as it is if Jira has changed nothing.
        remote: The line in Jira.
    """
    old, here, there = keys_in(base), keys_in(local), keys_in(remote)
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
    gone = set(keys_in(before)).difference(keys_in(text))
    return tuple(link for link in jira_links(fields) if link.line == line and link.key in gone)


def link_loss(link: JiraLink) -> str:
    """Return what Jira loses with a link, in words."""
    return f"the link “{link.line} {link.key}”"


def _read_link(entry: Mapping[str, object]) -> JiraLink | None:
    kind = entry.get("type")
    for end, direction in (("outwardIssue", "outward"), ("inwardIssue", "inward")):
        other = entry.get(end)
        key = other.get("key") if isinstance(other, dict) else None
        words = kind.get(direction) if isinstance(kind, dict) else None
        if isinstance(key, str) and is_key(key) and isinstance(words, str) and words.strip():
            return JiraLink(str(entry.get("id", "")), line_name(words), key)
    return None


#: What is between a choice and the second one below it.
CASCADE_SEPARATOR = " > "
#: What an issue without a description costs.
_ISSUE_COST = 60


@dataclass(frozen=True, slots=True)
class FamilyText:
    """A family as it will be in a file.

    Attributes:
        ticket: The ticket that ``text`` parses as, without line numbers.
        text: The text of the file.
        inexact: Keys of the issues with a rich text that cannot be restored exactly from the text;
            the state keeps their ADF.
        texts: Pairs of the name and the ID of each field with a section of its own.
    """

    ticket: Ticket
    text: str
    inexact: frozenset[str]
    texts: tuple[tuple[str, str], ...] = ()


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
    ready: Mapping[str, diff.DescriptionText] = MappingProxyType({}),
) -> FamilyText:
    """Render a family as text, and find out what the text cannot hold exactly.

    Args:
        head: The issue that gives the ticket its heading.
        subtasks: The sub-tasks to file under it, in order.
        columns: The fields to write.
        ready: What `estimate_cost` has described; it spares the import of what converts.

    Returns:
        The text, the ticket that a reader gets from it, and the keys that are not exact.
    """
    issues = (head, *subtasks)
    whole: set[str] = set()  # keys whose criteria stay in the description
    while True:
        described = {issue.key: _description(issue, whole, ready) for issue in issues}
        ticket_of = partial(_ticket, columns=columns, described=described)
        ticket = ticket_of(head, tasks=[ticket_of(issue) for issue in subtasks])
        read = (ticket, *ticket.tasks)
        pairs = tuple(zip(issues, read, strict=True))
        inexact = {
            issue.key for issue, made in pairs if not _is_exact(issue, made, described[issue.key])
        }
        # Criteria that do not survive as a section of their own are tried again as description.
        with_criteria = (ticket.key for ticket in read if ticket.acceptance_criteria)
        again = (inexact - whole).intersection(with_criteria)
        if not again:
            inexact |= {issue.key for issue, made in pairs if not _has_texts(issue, made, columns)}
            text = render_ticket(ticket)
            return FamilyText(ticket, text, frozenset(inexact), columns.texts)
        whole |= again


@dataclass(frozen=True, slots=True)
class RenderingCost:
    """What was found out about issues before they are rendered.

    Attributes:
        cost: About how much work it is; converting one character of text is a work of 1.
        described: Their simple descriptions as Markdown, by the IDs of the issues.
        others: Their other rich texts, as far as they were weighed.
    """

    cost: int
    described: Mapping[str, diff.DescriptionText]
    others: Sequence[object]

    @property
    def is_simple(self) -> bool:
        """Whether every rich text can be written without `load_conversions`."""
        return all(simple_markdown(document) is not None for document in self.others)


def estimate_cost(issues: Iterable[Issue], most: int) -> RenderingCost:
    """Estimate the work of rendering a family, and convert the descriptions that take little.

    Args:
        issues: The family.
        most: Where to stop; the work may be a little more.
    """
    cost, remaining = 0, list[object]()
    described: dict[str, diff.DescriptionText] = {}
    for issue in issues:
        description, *others = _documents(issue)
        is_short = conversion_size(description, most * COST_UNIT) <= most * COST_UNIT
        text = diff.simple_description(description) if is_short else None
        if text is None:
            others.append(description)
        else:
            described[issue.id] = text
            cost += len(text.markdown) // COST_UNIT
        remaining += others
        cost += _ISSUE_COST + sum(conversion_cost(document, most) for document in others)
        cost += sum(len(value) for value in issue.fields.values() if isinstance(value, list))
        if cost > most:
            break
    return RenderingCost(cost, described, remaining)


def _documents(issue: Issue) -> Iterator[object]:
    """Yield the description of an issue, then its other rich texts."""
    yield from documents_in(issue.fields)
    if COMMENT_FIELD in issue.fields:
        yield from (comment.body for comment in jira_comments(issue.fields))


def field_text(value: object) -> str:
    """Write one field's value as the text of its line; empty for no value.

    Lists are joined by commas; an entry that holds a comma or a quote is put in quotes, as in CSV.
    """
    if isinstance(value, list):
        entries = [text for entry in value if (text := _entry_text(entry))]
        return ", ".join(map(quoted, entries))
    return _entry_text(value)


def _line_text(field_id: str, value: object) -> str:
    if field_id in ESTIMATES and isinstance(value, int | float) and abs(value) < MAX_SECONDS:
        return duration_text(value)
    return field_text(value)


def slim(fields: Mapping[str, object]) -> dict[str, object]:
    """Return only what files and comparisons need of an issue's fields: no avatars or addresses.

    Rich texts are kept unchanged, since a file may not hold all of them.
    """
    kept = {
        name: value if type(value) is str or name == "description" else _slim(value)
        for name, value in fields.items()
        if value is not None
    }
    if COMMENT_FIELD in kept:
        kept[COMMENT_FIELD] = slim_comments(fields[COMMENT_FIELD])
    if ATTACHMENT_FIELD in kept:
        kept[ATTACHMENT_FIELD] = slim_attachments(fields)
    if LINK_FIELD in kept:
        kept[LINK_FIELD] = _slim(fields[LINK_FIELD], _LINK_KEYS)
    return kept


_KEPT_KEYS = ("id", "key", "name", "displayName", "accountId", "value", "state", "subtask", "child")


_LINK_KEYS = ("id", "key", "name", "type", "inward", "outward", "inwardIssue", "outwardIssue")


def _slim(value: object, keys: Sequence[str] = _KEPT_KEYS) -> object:
    if isinstance(value, dict):
        if value.get("type") == "doc":
            return value
        return {
            name: kept if type(kept) is str else _slim(kept, keys)
            for name in keys
            if (kept := value.get(name)) is not None
        }
    if isinstance(value, list):
        return [_slim(entry, keys) for entry in value if entry is not None]
    return value


def _description(
    issue: Issue,
    whole: Collection[str],
    ready: Mapping[str, diff.DescriptionText],
) -> diff.DescriptionText:
    if issue.id in ready and issue.key not in whole:
        return ready[issue.id]
    adf = issue.fields.get("description")
    return diff.description_text(adf, files_of(issue.fields), split=issue.key not in whole)


def _ticket(
    issue: Issue,
    *,
    columns: Columns,
    described: Mapping[str, diff.DescriptionText],
    tasks: Sequence[Ticket] | None = None,
) -> Ticket:
    """Return an issue as a ticket; ``tasks`` is None for a sub-task."""
    description = described[issue.key]
    fields = {
        name: text
        for name, field_id in columns.names
        if (value := issue.fields.get(field_id)) is not None
        and (text := _line_text(field_id, value))
    }
    if columns.links:
        named = dict(columns.names)
        lines = _link_lines(issue.fields)
        fields |= {line: keys for line, keys in lines.items() if line not in named}
    if columns.attachments and (line := attachment_line(issue.fields)):
        fields.setdefault(ATTACHMENTS, line)
    parent_key = _text_at(issue.fields.get("parent"), "key")
    if parent_key and tasks is not None:
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
        tasks=tuple(tasks or ()),
        texts=_field_texts(issue, columns),
    )


def _is_exact(issue: Issue, read: Ticket, written: diff.DescriptionText) -> bool:
    if written.is_exact_in(read):
        return True
    original = issue.fields.get("description")
    if is_too_large(original):
        return False
    files = files_of(issue.fields)
    return visible(diff.description_adf(read, files=files)) == visible(original)


def _field_texts(issue: Issue, columns: Columns) -> dict[str, str]:
    """Return the Markdown of the fields with sections of their own, by their names."""
    files = files_of(issue.fields)
    return {
        name: text
        for name, field_id in columns.texts
        if (text := diff.markdown_of(as_document(issue.fields.get(field_id)), files))
    }


def _has_texts(issue: Issue, read: Ticket, columns: Columns) -> bool:
    """Return whether the rich texts of an issue, without its description, are exact."""
    files = files_of(issue.fields)
    for name, field_id in columns.texts:
        original = as_document(issue.fields.get(field_id))
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
        return f"{text}{CASCADE_SEPARATOR}{below}" if below else text
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (str, int, float)):
        return str(value)
    return ""


def _text_at(value: object, name: str) -> str | None:
    text = value.get(name) if isinstance(value, dict) else None
    return text if isinstance(text, str) and text else None
