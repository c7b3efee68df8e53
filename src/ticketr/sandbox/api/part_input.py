"""Read the bodies of requests that write comments and worklogs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.api.entity_properties import read_properties
from ticketr.sandbox.api.input_errors import InvalidDocument, InvalidInput, InvalidValue
from ticketr.sandbox.api.payload import INVALID
from ticketr.sandbox.api.values import ValueContext, read_document
from ticketr.sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from ticketr.sandbox.api.interface import Interface
    from ticketr.sandbox.api.records import JsonObject
    from ticketr.sandbox.data.issue import Issue
    from ticketr.sandbox.data.model import Adf

EMPTY_COMMENT: Final = "Comment body can not be empty!"
_NOT_VALID: Final = "Comment body is not valid!"


def read_text(interface: Interface, issue: Issue, value: Any, field: str) -> Adf | None:
    """Read a document, or None for an empty one.

    Raises:
        InvalidInput: The value is not a document of the interface's version.
    """
    context = ValueContext(interface.site, interface.version, issue.project, issue.type, issue)
    try:
        return read_document(context, value)
    except InvalidValue as error:
        raise InvalidInput({field: error.text}) from error
    except InvalidDocument as error:
        raise InvalidInput({field: _NOT_VALID}) from error


def read_comment(interface: Interface, issue: Issue, body: JsonObject) -> dict[str, Any]:
    """Read the body of a request that adds or changes a comment.

    Returns:
        The attributes of the `Comment` that the request sets.

    Raises:
        InvalidInput: Jira would refuse the request.
    """
    text = read_text(interface, issue, body.get("body"), "comment")
    if text is None:
        raise InvalidInput({"comment": EMPTY_COMMENT})
    return {"body": text, **read_extras(body)}


def read_extras(body: JsonObject) -> dict[str, Any]:
    """Read the visibility and the properties, as far as the body mentions them."""
    extras: dict[str, Any] = {}
    if "visibility" in body:
        extras["visibility"] = _visibility(body["visibility"])
    if "properties" in body:
        extras["properties"] = read_properties(body)
    return extras


def _visibility(value: Any) -> JsonObject | None:
    if not value:
        return None
    if not isinstance(value, dict) or value.keys() - {"type", "value", "identifier"}:
        raise RequestRefused(400, INVALID)
    if value.get("type") not in {"group", "role"}:
        raise InvalidInput({"commentLevel": "The visibility is either of a group or of a role."})
    name = value.get("value") or value.get("identifier")
    if not isinstance(name, str):
        raise InvalidInput({"commentLevel": f"Specify the {value['type']} of the visibility."})
    return {"type": value["type"], "value": name, "identifier": name}
