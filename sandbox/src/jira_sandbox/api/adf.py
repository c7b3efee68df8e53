"""Validate documents against Atlassian's schema of the Atlassian Document Format (ADF)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema_rs import Draft4Validator

from jira_sandbox.api.input_errors import InvalidDocument


def check_document(document: Any) -> None:
    """Validate a document.

    Raises:
        InvalidDocument: The document does not match the schema, or it is nested too deeply.
    """
    try:
        is_valid = _validator().is_valid(document)
    except ValueError as error:
        raise InvalidDocument from error
    if not is_valid:
        raise InvalidDocument


@cache
def _validator() -> Draft4Validator:
    """Compile the schema; a file beside it states its origin and licence."""
    schema = files(__package__).joinpath("adf-schema.json").read_text("utf-8")
    return Draft4Validator(json.loads(schema))
