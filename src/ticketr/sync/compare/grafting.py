"""Puts an edited description together from Jira's own blocks and those that were edited. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ticketr.jira import adf
from ticketr.sync.compare.diff import TEXTS, CorePart
from ticketr.sync.compare.mapping import description_adf

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ticketr.sync.compare.diff import Part
    from ticketr.tickets import Ticket

_NO_FILES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LostPiece:
    """A piece of a description that an edit removes in Jira though the file does not show it.

    Attributes:
        what: The piece, in words.
        line: The line in the file of the block that was edited, or of the one after a block that
            was deleted; 0 if it is not known.
    """

    what: str
    line: int


@dataclass(frozen=True, slots=True)
class EditedDescription:
    """An edited description, ready to be sent.

    Attributes:
        document: What to send.
        ours: What Jira has.
        before: The issue at the last sync.
        parts: Which parts of it are sent.
        fitting: See `ticketr.jira.adf.graft`.
        losses: What Jira would lose.
        files: The media ID of each file that is attached to the issue, by its name.
    """

    document: dict[str, object]
    ours: object
    before: Ticket
    parts: Collection[Part]
    fitting: bool
    losses: tuple[LostPiece, ...]
    files: Mapping[str, str]

    def with_text(self, here: Ticket) -> EditedDescription | None:
        """Return the same for another text of the issue."""
        return edited_description(
            self.before, here, self.parts, self.ours, fitting=self.fitting, files=self.files
        )

    @property
    def misfits(self) -> tuple[str, ...]:
        """What does not fit Jira's rules though it comes from Jira."""
        known = set(adf.problems(self.ours))
        return tuple(each for each in adf.problems(self.document) if each in known)

    @property
    def problems(self) -> tuple[str, ...]:
        """What Jira would refuse of what was edited."""
        known = set(adf.problems(self.ours))
        return tuple(each for each in adf.problems(self.document) if each not in known)


def edited_description(
    before: Ticket,
    here: Ticket,
    parts: Collection[Part],
    ours: object,
    *,
    fitting: bool = False,
    files: Mapping[str, str] = _NO_FILES,
) -> EditedDescription | None:
    """Put the description of an issue together, with its acceptance criteria.

    Args:
        before: The issue at the last sync.
        here: The issue in its file.
        parts: The parts that are to be sent.
        ours: The description that Jira has.
        fitting: See `ticketr.jira.adf.graft`.
        files: The media ID of each file that is attached to the issue, by its name.

    Returns:
        The description; None if it is not to be sent, or certainly too long for Jira, so that it
        is not converted.
    """
    parts = TEXTS.intersection(parts)
    if not parts:
        return None
    criteria = (
        here.acceptance_criteria if CorePart.CRITERIA in parts else before.acceptance_criteria
    )
    description, body = here.description, None
    if CorePart.DESCRIPTION not in parts:  # it goes back as it is, and is not converted
        description, body = before.description, ours
    if adf.is_too_long(*([description] if body is None else []), *criteria):
        return None
    edited = replace(here, description=description, acceptance_criteria=criteria)
    document = description_adf(edited, body=body, files=files)
    shown = description_adf(before, body=body, files=files)
    found = adf.graft(ours, shown, document, fitting=fitting, files=files)
    losses = tuple(
        LostPiece(each.what, _line(edited, document, each.path, is_criterion=body is not None))
        for each in found.losses
    )
    return EditedDescription(found.document, ours, before, parts, fitting, losses, files)


def _line(
    issue: Ticket, document: dict[str, object], path: tuple[int, ...], *, is_criterion: bool
) -> int:
    """Return the line in the file of a block of a description."""
    content = document.get("content")
    if not path or not isinstance(content, list):
        return 0
    criteria = issue.acceptance_criteria
    if criteria and path[0] >= len(content) - 2:
        number = path[1] if len(path) > 1 else 0
        return issue.places.of_criterion(min(number, len(criteria) - 1), 1)
    if is_criterion:
        return 0
    blocks = content[: len(content) - 2] if criteria else content
    return issue.places.of_description(adf.line_of(issue.description, blocks, path))
