"""What a document must look like for Jira to take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.sandbox.api.refusals import NotAdf

if TYPE_CHECKING:
    from ticketr.sandbox.data.model import Adf


def check_document(document: Adf) -> None:
    """Look at every node of a document.

    Raises:
        NotAdf: Something in it does not belong there.
    """
    if document.get("version") != 1 or not isinstance(document.get("content"), list):
        raise NotAdf
