"""Add undocumented keys and nulls to responses.

Jira's documentation allows few extra keys and few nulls, but real responses have both. IDs,
keys and the types of nodes stay, as they do in real responses.
"""

from __future__ import annotations

from typing import Any, Final

#: Undocumented keys with their values.
_EXTRA_KEYS: Final[tuple[tuple[str, Any], ...]] = (
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
#: The nodes that get no empty attributes and marks.
_UNMARKED_NODES: Final = frozenset(("doc", "panel", "expand", "blockquote"))


class Quirks:
    """Adds quirks to one response, chosen by a counter, so the result is deterministic."""

    def __init__(self) -> None:
        self._turn = 0

    def apply(self, value: Any) -> Any:
        """Return a copy of the value with quirks added."""
        if isinstance(value, list):
            return [self.apply(part) for part in value]
        if not isinstance(value, dict):
            return value
        self._turn += 1
        if value.get("type") == "doc" and "version" in value:
            return self._document(value)
        changed = {key: self._maybe_null(key, part) for key, part in value.items()}
        name, extra = _EXTRA_KEYS[self._turn % len(_EXTRA_KEYS)]
        changed.setdefault(name, extra)
        if "issues" in changed:
            changed.setdefault("nextPageToken", None)
            changed.setdefault("warnings", None)
        return changed

    def _maybe_null(self, key: str, part: Any) -> Any:
        """Return a value with quirks added, or sometimes null if its key allows that."""
        if key in _MAY_BE_NULL:
            self._turn += 1
            if self._turn % 3 == 0:
                return None
        return self.apply(part)

    def _document(self, document: dict[str, Any]) -> dict[str, Any]:
        """Add quirks to a document: nodes of an unknown kind, and nodes without content."""
        turn = self._turn
        changed: dict[str, Any] = self._node(document)
        if turn % 7 == 0:
            changed["content"].append({"type": "hologram", "attrs": {"depth": 3}, "content": None})
        if turn % 11 == 0:
            changed["content"].append({"type": "paragraph", "content": None})
        return changed

    def _node(self, node: dict[str, Any]) -> dict[str, Any]:
        """Add what editors leave behind in a node: empty attributes, null marks."""
        self._turn += 1
        changed = dict(node)
        if "content" in node:
            changed["content"] = [self._node(child) for child in node["content"]]
        if self._turn % 5 == 0 and node["type"] not in _UNMARKED_NODES:
            changed.setdefault("marks", None)
            changed.setdefault("attrs", None)
        if self._turn % 6 == 0 and isinstance(changed.get("attrs"), dict):
            changed["attrs"] = {
                **changed["attrs"],
                "localId": None,
                "futureAttribute": {"a": [None]},
            }
        return changed
