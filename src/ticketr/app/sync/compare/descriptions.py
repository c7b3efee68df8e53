"""Converts descriptions to Markdown and back, with the acceptance criteria at their end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.app.jira.adf import (
    convert,
    is_too_large,
    is_too_long,
    plain_document,
    to_adf,
    to_markdown,
)

if TYPE_CHECKING:
    from ticketr.app.tickets import Ticket

_CRITERIA = "Acceptance Criteria"
_NO_FILES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DescriptionText:
    """A description as it will be in a file.

    Attributes:
        markdown: Its Markdown, without the criteria.
        criteria: The acceptance criteria at its end, each as Markdown.
        exact: Whether the Markdown alone is known to say all that the description says.
    """

    markdown: str
    criteria: tuple[str, ...] = ()
    exact: bool = False

    def is_exact_in(self, ticket: Ticket) -> bool:
        """Return whether a ticket is known to hold all of the description, without a conversion."""
        is_same = ticket.description == self.markdown.removesuffix("\n")
        return self.exact and is_same and not ticket.acceptance_criteria


def description_text(adf: object, files: Mapping[str, str], *, split: bool) -> DescriptionText:
    """Convert a description to Markdown.

    Args:
        adf: The description in Jira's form; None for none.
        files: The media ID of each file that is attached to the issue, by its name.
        split: Whether to split the acceptance criteria off.
    """
    body, criteria = split_criteria(adf) if split else (adf, ())
    if criteria or not isinstance(body, dict):
        return DescriptionText(markdown_of(body, files), criteria, exact=body is None)
    converted = convert(body, files=files)
    return DescriptionText(converted.markdown, exact=converted.exact)


def markdown_of(adf: object, files: Mapping[str, str] = _NO_FILES) -> str:
    """Return a document as Markdown; empty if it is not a document."""
    return to_markdown(adf, files=files) if isinstance(adf, dict) else ""


def split_criteria(adf: object) -> tuple[object, tuple[str, ...]]:
    """Split acceptance criteria off the end of a description.

    They are a heading of level 3, "Acceptance Criteria", and a bullet list of plain paragraphs,
    and nothing after that; anything of another shape stays description.

    Returns:
        The rest of the description, and each criterion's Markdown; no criteria where the shape
        is not exactly that.
    """
    content = adf.get("content") if isinstance(adf, dict) else None
    if not isinstance(adf, dict) or not isinstance(content, list) or len(content) < 2:
        return adf, ()
    heading, bullets = content[-2:]
    if not _is_criteria_heading(heading) or is_too_large(adf):
        return adf, ()
    criteria = _criteria_in_list(bullets)
    if not criteria:
        return adf, ()
    return {**adf, "content": content[:-2]}, criteria


def description_adf(
    ticket: Ticket, *, body: object = None, files: Mapping[str, str] = _NO_FILES
) -> dict[str, object]:
    """Return a ticket's description in Jira's form, its acceptance criteria at the end.

    Args:
        ticket: The ticket.
        body: The description in Jira's form, if the Markdown of it is not to be read; criteria at
            its end are not taken over.
        files: The media ID of each file that is attached to the issue, by its name.

    Returns:
        The document. What is longer than Jira takes is there as it is, for it is not sent.
    """
    texts = ticket.acceptance_criteria
    if body is None:
        texts = (ticket.description, *texts)
    read = plain_document if is_too_long(*texts) else partial(to_adf, files=files)
    kept = split_criteria(body)[0] if body is not None else read(ticket.description)
    document: dict[str, object] = dict(kept) if isinstance(kept, dict) else {}
    if ticket.acceptance_criteria:
        heading = {
            "type": "heading",
            "attrs": {"level": 3},
            "content": [{"type": "text", "text": _CRITERIA}],
        }
        items = [
            {"type": "listItem", "content": read(text).get("content", [])}
            for text in ticket.acceptance_criteria
        ]
        content = document.get("content")
        before = content if isinstance(content, list) else []
        document["content"] = [*before, heading, {"type": "bulletList", "content": items}]
    return document


def _is_criteria_heading(node: object) -> bool:
    return (
        isinstance(node, dict)
        and node.get("type") == "heading"
        and isinstance(attrs := node.get("attrs"), dict)
        and attrs.get("level") == 3
        and isinstance(content := node.get("content"), list)
        and len(content) == 1
        and isinstance(content[0], dict)
        and content[0].get("text") == _CRITERIA
        and not content[0].get("marks")
    )


def _criteria_in_list(node: object) -> tuple[str, ...]:
    """Return the criteria in a bullet list; none if one of its items is no criterion."""
    if not isinstance(node, dict) or node.get("type") != "bulletList":
        return ()
    items = node.get("content")
    texts = [_read_criterion(item) for item in items] if isinstance(items, list) else []
    return tuple(text for text in texts if text) if all(texts) else ()


def _read_criterion(item: object) -> str | None:
    content = item.get("content") if isinstance(item, dict) else None
    if not isinstance(content, list) or len(content) != 1:
        return None
    if not isinstance(content[0], dict) or content[0].get("type") != "paragraph":
        return None
    if not content[0].get("content"):
        return None
    text = markdown_of({"type": "doc", "version": 1, "content": content}).strip()
    return text if text and "\n" not in text else None
