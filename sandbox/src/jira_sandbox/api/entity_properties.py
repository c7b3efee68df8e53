"""Validate and select entity properties: JSON values that programs store with an issue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.payload import INVALID
from jira_sandbox.api.views import to_json
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue

MOST_BYTES: Final = 32_768
MOST_ASKED: Final = 5
_LONGEST_KEY: Final = 255


def check_property(key: Any, value: Any) -> None:
    """Check the key and the size of a property.

    Raises:
        RequestRefused: The key is invalid, or the value is too long.
    """
    if not isinstance(key, str) or not key.strip():
        raise RequestRefused(400, "The property key must not be empty.")
    if len(key) > _LONGEST_KEY:
        raise RequestRefused(
            400, f"The property key must not be longer than {_LONGEST_KEY} characters."
        )
    if len(to_json(value).encode()) > MOST_BYTES:
        raise RequestRefused(400, f"The property value must not be longer than {MOST_BYTES} bytes.")


def read_properties(body: dict[str, Any]) -> dict[str, Any]:
    """Read the list of properties in the body of a write.

    Raises:
        RequestRefused: The list or one of the properties is invalid.
    """
    entries = body.get("properties") or []
    if not isinstance(entries, list):
        raise RequestRefused(400, INVALID)
    properties: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, dict) or entry.keys() - {"key", "value"}:
            raise RequestRefused(400, INVALID)
        check_property(entry.get("key"), entry.get("value"))
        properties[entry["key"]] = entry.get("value")
    return properties


def select_properties(issue: Issue, keys: Iterable[str]) -> dict[str, Any]:
    """Return the properties that a request selects by key, ``*all``, or ``-`` and a key."""
    wanted = list(keys)
    unwanted = {key[1:] for key in wanted if key.startswith("-")}
    every = "*all" in wanted or len(unwanted) == len(wanted)
    return {
        key: value
        for key, value in issue.properties.items()
        if (every or key in wanted) and key not in unwanted
    }
