"""Validate exchanges with the sandbox against Atlassian's OpenAPI document of Jira Cloud."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from jsonschema import Draft4Validator
from sandbox_specs import load, problems

_ROOT = "/rest/api/3"
_UNSAID = {405, 410, 413}
"""Statuses that the document omits: limits to bodies, and the removal of the old search."""


_SAID_FOR_ONE = {("GET", "/rest/api/3/issue/{issueIdOrKey}/remotelink")}
"""Operations of which the document describes an entry, though its example is a list."""


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str
    details: Any = field(compare=False, repr=False)

    def answer(self, status: int) -> Draft4Validator | None:
        """Return the schema of a response's body; None if there is none, or anything goes."""
        content = self.details["responses"].get(str(status), {}).get("content", {})
        anything = content.get("application/json", {}).get("schema") == {}
        return None if anything else _validator(content)

    def body(self) -> Draft4Validator | None:
        """Return the schema of a request's body; None if there is none."""
        return _validator(self.details.get("requestBody", {}).get("content", {}))

    def parameters(self) -> frozenset[str]:
        """Return the names of the query parameters."""
        listed = self.details.get("parameters", ())
        return frozenset(one["name"] for one in listed if one["in"] == "query")


def find_operation(method: str, path: str) -> Operation | None:
    """Find the operation of a path below ``/rest/api/3``, or below ``/rest/api/2``."""
    path = re.sub(r"^/rest/api/[23]", _ROOT, path)
    for pattern, template in _templates():
        details = _paths()[template].get(method.lower())
        if details is not None and pattern.fullmatch(path):
            return Operation(method, template, details)
    return None


def wrong_answer(response: httpx.Response) -> list[str]:
    """Return what is wrong with a response; an unknown operation is never wrong."""
    request = response.request
    operation = find_operation(request.method, request.url.path)
    if operation is None:
        return []
    where = f"{request.method} {request.url} answered {response.status_code}"
    if response.status_code not in _UNSAID | set(map(int, operation.details["responses"])):
        return [f"{where}, which is not documented"]
    if response.status_code == 204:
        return [f"{where} with a body"] if response.content else []
    validator = operation.answer(response.status_code)
    if validator is None and not (response.is_error and response.content):
        return []
    value = response.json()
    entries = (operation.method, operation.path) in _SAID_FOR_ONE and isinstance(value, list)
    if entries and validator is not None:
        return [text for each in value for text in problems(validator, each)]
    if response.is_error and not problems(_error_validator(), value):
        return []
    return [] if validator is None else [f"{where}: {text}" for text in problems(validator, value)]


def wrong_request(method: str, url: str, body: bytes | None) -> list[str]:
    """What is wrong with a request; one for an unknown operation is wrong as it is."""
    parts = urlsplit(url)
    operation = find_operation(method, parts.path)
    if operation is None:
        return [f"{method} {parts.path} is not documented"]
    wrong = [
        f"{method} {parts.path}: there is no parameter {name}"
        for name, _ in parse_qsl(parts.query, keep_blank_values=True)
        if name not in operation.parameters()
    ]
    validator = operation.body()
    if validator is not None:
        wrong += [
            f"{method} {parts.path}: {text}"
            for text in problems(validator, json.loads(body or b"null"))
        ]
    elif body:
        wrong.append(f"{method} {parts.path} takes no body")
    return wrong


@cache
def _paths() -> Any:
    return load("jira-openapi.json")["paths"]


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """The paths as patterns, those with the fewest blanks first."""
    ordered = sorted(_paths(), key=lambda template: template.count("{"))
    return [(re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path)), path) for path in ordered]


def _validator(content: Any) -> Draft4Validator | None:
    schema = content.get("application/json", {}).get("schema")
    return None if schema is None else _made(json.dumps(schema))


@cache
def _made(schema: str) -> Draft4Validator:
    components = load("jira-openapi.json")["components"]
    return Draft4Validator({**json.loads(schema), "components": components})


def _error_validator() -> Draft4Validator:
    return _made('{"$ref": "#/components/schemas/ErrorCollection"}')
