"""Find out what a write changed in an issue, for the issue's history."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.data.extra_fields import BY_ID
from jira_sandbox.data.parts import HistoryItem

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue

#: The ID and the words of a value, as the history writes them.
Texts = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class _Tracked:
    """An attribute whose changes are recorded.

    Attributes:
        attribute: The attribute of `Issue`.
        field: The field's name in the history.
        field_id: The field's ID.
        texts: Returns the value's ID and its words; two None for an empty value.
    """

    attribute: str
    field: str
    field_id: str
    texts: Callable[[Any], Texts]


def _named_texts(value: Any) -> Texts:
    return str(value.id), getattr(value, "name", None) or value.value


def _user_texts(value: Any) -> Texts:
    return value.account_id, value.name


def _text_texts(value: Any) -> Texts:
    return None, str(value)


def _plain_texts(value: Any) -> Texts:
    return str(value), str(value)


def _labels_texts(value: Any) -> Texts:
    return None, " ".join(value)


def _list_texts(value: Any) -> Texts:
    return ", ".join(str(each.id) for each in value), ", ".join(each.name for each in value)


def _document_texts(value: Any) -> Texts:
    return None, words_of(value)


def words_of(document: Any) -> str:
    """Return the text of a document without its formatting."""
    return "\n".join(_words(document))


def _words(node: Any) -> Iterator[str]:
    """Return the text of each block that directly contains text."""
    parts = node.get("content") or ()
    text = "".join(part["text"] for part in parts if part["type"] == "text")
    if text:
        yield text
    for part in parts:
        yield from _words(part)


_TRACKED: Final = (
    _Tracked("summary", "summary", "summary", _text_texts),
    _Tracked("type", "issuetype", "issuetype", _named_texts),
    _Tracked("status", "status", "status", _named_texts),
    _Tracked("resolution", "resolution", "resolution", _named_texts),
    _Tracked("priority", "priority", "priority", _named_texts),
    _Tracked("assignee", "assignee", "assignee", _user_texts),
    _Tracked("reporter", "reporter", "reporter", _user_texts),
    _Tracked("description", "description", "description", _document_texts),
    _Tracked("labels", "labels", "labels", _labels_texts),
    _Tracked("due", "duedate", "duedate", _plain_texts),
    _Tracked("sprints", "Sprint", "customfield_10020", _list_texts),
    _Tracked("story_points", "Story Points", "customfield_10016", _text_texts),
    _Tracked("platform", "Platform", "customfield_10031", _named_texts),
    _Tracked("release_note", "Release Note", "customfield_10032", _text_texts),
    _Tracked("reviewer", "Reviewer", "customfield_10033", _user_texts),
    _Tracked("ready", "Ready At", "customfield_10034", _plain_texts),
    _Tracked("original_estimate", "timeoriginalestimate", "timeoriginalestimate", _plain_texts),
    _Tracked("remaining_estimate", "timeestimate", "timeestimate", _plain_texts),
    _Tracked("seconds_spent", "timespent", "timespent", _plain_texts),
)
#: Attributes of several records, each of which is recorded for itself.
_SETS: Final = (
    ("components", "Component", "components"),
    ("fix_versions", "Fix Version", "fixVersions"),
    ("attachments", "Attachment", "attachment"),
)


def changes(before: Issue, after: Issue, key_of: Callable[[int], str]) -> tuple[HistoryItem, ...]:
    """Return what differs between two states of an issue.

    Args:
        before: The old state.
        after: The new state.
        key_of: Returns the key of the issue with an ID.
    """
    items = [
        item for tracked in _TRACKED if (item := _change_of(tracked, before, after)) is not None
    ]
    items += _parent_changes(before, after, key_of)
    for attribute, field, field_id in _SETS:
        items += _set_changes(
            field, field_id, getattr(before, attribute), getattr(after, attribute)
        )
    items += _link_changes(before, after, key_of)
    items += _extra_changes(before, after)
    return tuple(items)


def _change_of(tracked: _Tracked, before: Issue, after: Issue) -> HistoryItem | None:
    old, new = getattr(before, tracked.attribute), getattr(after, tracked.attribute)
    if old == new:
        return None
    nothing = (None, None)
    return HistoryItem(
        tracked.field,
        tracked.field_id,
        *(nothing if old in (None, ()) else tracked.texts(old)),
        *(nothing if new in (None, ()) else tracked.texts(new)),
    )


def _parent_changes(before: Issue, after: Issue, key_of: Callable[[int], str]) -> list[HistoryItem]:
    if before.parent == after.parent:
        return []

    def texts(parent: int | None) -> Texts:
        return (None, None) if parent is None else (str(parent), key_of(parent))

    field = "IssueParentAssociation"
    return [HistoryItem(field, "parent", *texts(before.parent), *texts(after.parent))]


def _set_changes(
    field: str, field_id: str, old: tuple[Any, ...], new: tuple[Any, ...]
) -> list[HistoryItem]:
    """Return an entry for each record that was added to a set or removed from it."""
    gone = [
        HistoryItem(field, field_id, *_named_texts(each), None, None)
        for each in old
        if each not in new
    ]
    return gone + [
        HistoryItem(field, field_id, None, None, *_named_texts(each))
        for each in new
        if each not in old
    ]


def _link_changes(before: Issue, after: Issue, key_of: Callable[[int], str]) -> list[HistoryItem]:
    if before.links == after.links:
        return []

    def texts(link: Any) -> Texts:
        words = link.kind.outward if link.source == after.id else link.kind.inward
        key = key_of(link.other(after.id))
        return key, f"This work item {words} {key}"

    gone = [link for link in before.links if link not in after.links]
    made = [link for link in after.links if link not in before.links]
    return [HistoryItem("Link", "issuelinks", *texts(link), None, None) for link in gone] + [
        HistoryItem("Link", "issuelinks", None, None, *texts(link)) for link in made
    ]


def _extra_changes(before: Issue, after: Issue) -> list[HistoryItem]:
    names = before.values.keys() | after.values.keys()
    return [
        HistoryItem(
            BY_ID[name].name,
            name,
            None,
            _extra_text(name, before.values.get(name)),
            None,
            _extra_text(name, after.values.get(name)),
        )
        for name in sorted(names)
        if before.values.get(name) != after.values.get(name)
    ]


def _extra_text(name: str, value: Any) -> str | None:
    """Return a plain value in words."""
    if value is None:
        return None
    if BY_ID[name].kind == "textarea":
        return _document_texts(value)[1]
    words: dict[int | str, str] = {option.id: option.value for option in BY_ID[name].options}
    words |= {child.id: child.value for each in BY_ID[name].options for child in each.children}
    if isinstance(value, list):
        return ", ".join(str(words.get(each, each)) for each in value)
    return str(words.get(value, value)) if isinstance(value, (int, str)) else json.dumps(value)
