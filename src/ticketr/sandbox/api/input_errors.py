"""Requests that are refused because of what single fields hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class InvalidInput(SandboxError):
    """A request whose values Jira would not take.

    Attributes:
        errors: What is wrong with each field, by its ID.
        messages: What is wrong besides.
    """

    status = 400

    def __init__(self, errors: Mapping[str, str], messages: Sequence[str] = ()) -> None:
        super().__init__(errors, messages)
        self.errors = dict(errors)
        self.messages = tuple(messages)

    def __str__(self) -> str:
        return "; ".join((*self.messages, *map(": ".join, self.errors.items())))

    def as_json(self) -> dict[str, object]:
        """Give the body of the answer."""
        return {"errorMessages": list(self.messages), "errors": self.errors}


class InvalidValue(SandboxError):
    """A value that its field does not take; it becomes part of `InvalidInput`.

    Attributes:
        text: What is wrong, in Jira's words.
        field: The name that Jira gives the complaint, where it is not that of the field.
    """

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text, field)
        self.text = text
        self.field = field

    def __str__(self) -> str:
        return self.text


class InvalidDocument(SandboxError):
    """A document with nodes that do not belong there; Jira does not say which."""
