"""Atlassian's OpenAPI documents and schemas, if they are on this machine."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

_PLACES = (
    Path(__file__).parents[2] / "src/jira_sandbox/api",
    os.environ.get("TICKETR_SPECS"),
    Path(__file__).parents[4] / "shared" / "specs",
)


def find(name: str) -> Path | None:
    """Find a document; return None if it is not on this machine."""
    for place in _PLACES:
        if place and (path := Path(place) / name).is_file():
            return path
    return None


def load(name: str) -> Any:
    """Load a document, or skip the calling test."""
    path = find(name)
    if path is None:
        pytest.skip(f"{name} is neither in $TICKETR_SPECS nor in ../shared/specs")
    return json.loads(path.read_text("utf-8"))


@cache
def adf_validator() -> Draft4Validator:
    """Return the validator of the Atlassian Document Format."""
    return Draft4Validator(load("adf-schema.json"))


@cache
def _openapi() -> Any:
    return load("jira-openapi.json")


@cache
def schema_validator(name: str) -> Draft4Validator:
    """Return the validator of a named record of the document."""
    reference = f"#/components/schemas/{name}"
    return Draft4Validator({"$ref": reference, "components": _openapi()["components"]})


def problems(validator: Draft4Validator, value: Any) -> list[str]:
    """Return a short description of what is wrong with a value."""
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in validator.iter_errors(value)
    ]
