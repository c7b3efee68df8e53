"""Atlassian's own documents, where somebody has put them: what answers must look like."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

_PLACES = (
    Path(__file__).parents[2] / "src/ticketr/sandbox/api",
    os.environ.get("TICKETR_SPECS"),
    Path(__file__).parents[3] / "shared" / "specs",
)


def find(name: str) -> Path | None:
    """Find a document, if it is here."""
    for place in _PLACES:
        if place and (path := Path(place) / name).is_file():
            return path
    return None


def load(name: str) -> Any:
    """Load a document, or skip the test that wants it."""
    path = find(name)
    if path is None:
        pytest.skip(f"{name} is neither in $TICKETR_SPECS nor in ../shared/specs")
    return json.loads(path.read_text("utf-8"))


@cache
def adf_validator() -> Draft4Validator:
    """What a document in the Atlassian Document Format must look like."""
    return Draft4Validator(load("adf-schema.json"))


@cache
def _openapi() -> Any:
    return load("jira-openapi.json")


@cache
def answer_validator(method: str, path: str) -> Draft4Validator:
    """What the answer of an operation must look like, extra keys forbidden as they are there."""
    operation = _openapi()["paths"][f"/rest/api/3/{path}"][method.lower()]
    content = operation["responses"]["200"]["content"]["application/json"]
    return Draft4Validator({**content["schema"], "components": _openapi()["components"]})


@cache
def schema_validator(name: str) -> Draft4Validator:
    """What a named record of the document must look like."""
    reference = f"#/components/schemas/{name}"
    return Draft4Validator({"$ref": reference, "components": _openapi()["components"]})


def problems(validator: Draft4Validator, value: Any) -> list[str]:
    """What is wrong with a value, in short."""
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in validator.iter_errors(value)
    ]
