"""Answers as they really come: with keys nobody documented, and nulls in odd places.

Jira's own document forbids extra keys nearly everywhere and knows few nulls, yet real
answers have both. A client that survives this mode reads what it needs and no more. What
identifies things (IDs, keys, the type of a node) stays, as it does in real answers.
"""

from __future__ import annotations

from typing import Any, Final

_EXTRA: Final[tuple[tuple[str, Any], ...]] = (
    ("ari", {"cloud": "odd", "site": None}),
    ("futureFlag", {"on": True, "since": None}),
    ("_links", {"self": None, "next": []}),
    ("experiments", [{"since": None, "values": [1, "two", None]}]),
    ("x-unknown", None),
)
_MAY_BE_NULL: Final = frozenset(
    (
        "avatarId",
        "avatarUrls",
        "clauseNames",
        "colorName",
        "components",
        "emailAddress",
        "expand",
        "fixVersions",
        "hierarchyLevel",
        "iconUrl",
        "isLast",
        "issueErrors",
        "issuelinks",
        "labels",
        "lead",
        "locale",
        "navigable",
        "orderable",
        "priority",
        "progress",
        "projectTypeKey",
        "reporter",
        "searchable",
        "self",
        "statusCategory",
        "timeZone",
        "versions",
        "votes",
        "watches",
    )
)
_BLOCK: Final = frozenset(("doc", "panel", "expand", "blockquote"))


class Quirks:
    """Changes one answer; which key becomes null goes by turns, so nothing is random."""

    def __init__(self) -> None:
        self._turn = 0

    def add_to(self, value: Any) -> Any:
        """Give the value with oddities in it."""
        if isinstance(value, list):
            return [self.add_to(part) for part in value]
        if not isinstance(value, dict):
            return value
        self._turn += 1
        if value.get("type") == "doc" and "version" in value:
            return self._document(value)
        odd = {key: self._part(key, part) for key, part in value.items()}
        name, extra = _EXTRA[self._turn % len(_EXTRA)]
        odd.setdefault(name, extra)
        if "issues" in odd:
            odd.setdefault("nextPageToken", None)
            odd.setdefault("warnings", None)
        return odd

    def _part(self, key: str, part: Any) -> Any:
        if key in _MAY_BE_NULL:
            self._turn += 1
            if self._turn % 3 == 0:
                return None
        return self.add_to(part)

    def _document(self, document: dict[str, Any]) -> dict[str, Any]:
        turn = self._turn
        odd: dict[str, Any] = self._node(document)
        if turn % 7 == 0:
            odd["content"].append({"type": "hologram", "attrs": {"depth": 3}, "content": None})
        if turn % 11 == 0:
            odd["content"].append({"type": "paragraph", "content": None})
        return odd

    def _node(self, node: dict[str, Any]) -> dict[str, Any]:
        """Add to a node what editors leave behind: empty attributes, null marks."""
        self._turn += 1
        odd = dict(node)
        if "content" in node:
            odd["content"] = [self._node(child) for child in node["content"]]
        if self._turn % 5 == 0 and node["type"] not in _BLOCK:
            odd.setdefault("marks", None)
            odd.setdefault("attrs", None)
        if self._turn % 6 == 0 and isinstance(odd.get("attrs"), dict):
            odd["attrs"] = {**odd["attrs"], "localId": None, "futureAttribute": {"a": [None]}}
        return odd
