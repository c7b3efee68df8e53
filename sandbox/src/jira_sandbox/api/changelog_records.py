"""Serialize the history of an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jira_sandbox.api.records import timestamp

if TYPE_CHECKING:
    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.api.views import View
    from jira_sandbox.data.parts import History, HistoryItem


def describe_history(view: View, history: History) -> JsonObject:
    """Describe one entry of the history."""
    return {
        "id": str(history.id),
        "author": view.records.user(history.author),
        "created": timestamp(history.created, view.viewer),
        "items": [_item(item) for item in history.items],
    }


def _item(item: HistoryItem) -> JsonObject:
    described = {
        "field": item.field,
        "fieldtype": "custom" if item.field_id.startswith("customfield_") else "jira",
        "fieldId": item.field_id,
        "from": item.old,
        "fromString": item.old_text,
        "to": item.new,
        "toString": item.new_text,
    }
    return {name: value for name, value in described.items() if value is not None}
