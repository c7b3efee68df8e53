"""Checks that a document is one that Jira would take, against Atlassian's own schema."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema_rs import Draft4Validator

from ticketr.sandbox.api.input_errors import InvalidDocument


def check_document(document: Any) -> None:
    """Look at every node of a document.

    Raises:
        NotAdf: Something in it does not belong there, or it is nested too deeply to tell.
    """
    try:
        is_valid = _validator().is_valid(document)
    except ValueError as error:
        raise InvalidDocument from error
    if not is_valid:
        raise InvalidDocument


@cache
def _validator() -> Draft4Validator:
    """Compile the schema; its origin and licence stand in the file beside it."""
    schema = files(__package__).joinpath("adf-schema.json").read_text("utf-8")
    return Draft4Validator(json.loads(schema))
