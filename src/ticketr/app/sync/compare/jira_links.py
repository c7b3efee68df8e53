"""The links of an issue as Jira sends them, and as lines of a file. Pure.

A line has the words of a kind of link in one direction, such as ``Blocks`` or ``Is blocked by``, and
the keys of the issues at the other end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ticketr.app.tickets import is_key

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
    return tuple(link for entry in _entries(fields) if (link := _read_link(entry)) is not None)


def link_lines(fields: Mapping[str, object]) -> dict[str, str]:
    """Return the lines of an issue's links: the keys on each in order, by the line's name."""
    keys: dict[str, set[str]] = {}
    for link in jira_links(fields):
        keys.setdefault(link.line, set()).add(link.key)
    return {line: ", ".join(sorted(keys[line], key=_key_order)) for line in sorted(keys)}


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


def slim_links(value: object) -> list[object]:
    """Return only what files and comparisons need of the field."""
    return [_slim(entry) for entry in _entries({LINK_FIELD: value})]


def _slim(entry: Mapping[str, object]) -> dict[str, object]:
    kept: dict[str, object] = {"id": entry.get("id")}
    kept["type"] = _with_keys(entry.get("type"), ("id", "name", "inward", "outward"))
    for end in ("inwardIssue", "outwardIssue"):
        if end in entry:
            kept[end] = _with_keys(entry[end], ("id", "key"))
    return kept


def _read_link(entry: Mapping[str, object]) -> JiraLink | None:
    kind = entry.get("type")
    for end, direction in (("outwardIssue", "outward"), ("inwardIssue", "inward")):
        other = entry.get(end)
        key = other.get("key") if isinstance(other, dict) else None
        words = kind.get(direction) if isinstance(kind, dict) else None
        if isinstance(key, str) and is_key(key) and isinstance(words, str) and words.strip():
            return JiraLink(str(entry.get("id", "")), line_name(words), key)
    return None


def _entries(fields: Mapping[str, object]) -> Iterator[dict[str, object]]:
    listed = fields.get(LINK_FIELD)
    for value in listed if isinstance(listed, list) else ():
        if isinstance(value, dict):
            yield value


def _with_keys(value: object, names: Iterable[str]) -> object:
    if not isinstance(value, dict):
        return value
    return {name: value[name] for name in names if name in value}


def _key_order(key: str) -> tuple[str, int]:
    project, _, number = key.rpartition("-")
    return project, int(number)
