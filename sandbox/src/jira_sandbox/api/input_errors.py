"""Errors in the fields of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jira_sandbox.errors import SandboxError


class InvalidInput(SandboxError):
    """Jira would refuse the values of a request.

    Attributes:
        errors: The error of each field, by the field's ID.
        messages: Errors that belong to no field.
    """

    status = 400

    def __init__(self, errors: Mapping[str, str], messages: Sequence[str] = ()) -> None:
        super().__init__(errors, messages)
        self.errors = dict(errors)
        self.messages = tuple(messages)

    def __str__(self) -> str:
        return "; ".join((*self.messages, *map(": ".join, self.errors.items())))

    def as_json(self) -> dict[str, object]:
        """Return the body of the response."""
        return {"errorMessages": list(self.messages), "errors": self.errors}


@dataclass(eq=False, repr=False)
class InvalidValue(SandboxError):
    """A field does not accept its value; becomes part of an `InvalidInput`.

    Attributes:
        text: Jira's error message.
        field: The name under which Jira reports the error, if it differs from the field's.
    """

    text: str
    field: str | None = None

    def __str__(self) -> str:
        return self.text


class InvalidDocument(SandboxError):
    """A document does not match the ADF schema; Jira does not say where."""
