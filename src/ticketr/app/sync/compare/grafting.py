"""Puts an edited rich text together from Jira's own blocks and those that were edited. Pure.

The text may show attachments, by their names, and files on disk, by their paths. A file on disk is
attached before the text is sent. Until then, the document has a mark in the place of its media ID.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from ticketr.app.jira import adf
from ticketr.app.jira.adf import (
    NAMES_AS_MEDIA_IDS,
    is_surely_too_long,
    lone_local_picture_addresses,
    pictured_files,
    to_adf,
)
from ticketr.app.jira.models import Issue
from ticketr.app.sync.compare import diff
from ticketr.app.sync.compare.attachments import media_ids_by_name
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD, wrap_if_plain_text
from ticketr.app.sync.compare.diff import RichTextPart
from ticketr.app.tickets import Ticket

_ATTACHMENT_SCHEME = "attachment:"


@dataclass(frozen=True, slots=True)
class PictureToAttach:
    """A file on disk that a description or a comment shows.

    Attributes:
        path: The file, relative to the workspace.
        size: How many bytes it has.
        problem: Why it cannot be attached; empty if it can.
        fake_media_id: What is in a document for its media ID until it is attached.
    """

    path: str
    size: int = 0
    problem: str = ""
    fake_media_id: str = ""


def new_local_picture_addresses(text: str, before: str) -> tuple[str, ...]:
    """Return the addresses of files on disk that a text shows, and did not before the edit.

    What was there before may come from Jira, whose authors must not choose files of this computer.
    """
    known = set(lone_local_picture_addresses(before))
    addresses = dict.fromkeys(lone_local_picture_addresses(text))
    return tuple(address for address in addresses if address not in known)


def uploads_in(
    text: str, before: str, pictures: Mapping[str, PictureToAttach]
) -> dict[str, PictureToAttach]:
    """Return the files that must be attached before a text is sent, by their addresses.

    Args:
        text: The text.
        before: The text before the edit.
        pictures: What is known of the files, by their addresses.
    """
    if not pictures:
        return {}
    return {
        picture: pictures[picture]
        for picture in new_local_picture_addresses(text, before)
        if picture in pictures and not pictures[picture].problem
    }


def fake_media_ids_by_address(uploads: Mapping[str, PictureToAttach]) -> dict[str, str]:
    """Return the placeholder IDs of files, by their addresses."""
    return {address: file.fake_media_id for address, file in uploads.items()}


def find_files_without_media_id(
    ticket: Ticket, issues: Iterable[Issue]
) -> dict[str, frozenset[str]]:
    """Return the names of files that rich texts show and whose media IDs are not known, by key.

    Args:
        ticket: The ticket in its file.
        issues: Its issues as Jira has them.
    """
    here, unknown = diff.issues_by_key(ticket), dict[str, frozenset[str]]()
    for issue in issues:
        if issue.key in here:
            own = here[issue.key]
            comments = (comment.text for comment in own.comments)
            texts = (own.description, *own.rich_texts.values(), *comments)
            names = {
                file.media_id.removeprefix(_ATTACHMENT_SCHEME)
                for text in texts
                if _ATTACHMENT_SCHEME in text and not is_surely_too_long(text)
                for file in pictured_files(to_adf(text, media_ids=NAMES_AS_MEDIA_IDS))
                if file.media_id.startswith(_ATTACHMENT_SCHEME)
            }
            if missing := names - media_ids_by_name(issue.fields).keys():
                unknown[issue.key] = frozenset(missing)
    return unknown


_NO_UPLOADS: Mapping[str, PictureToAttach] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class HiddenLossAtLine:
    """A piece of a rich text that an edit removes in Jira though the file does not show it.

    Attributes:
        what: The piece, in words.
        line: The line in the file of the block that was edited, or of the one after a block that
            was deleted; 0 if it is not known.
    """

    what: str
    line: int


@dataclass(frozen=True, slots=True)
class GraftedAdf:
    """An edited rich text, ready to be sent.

    Attributes:
        part: The rich text; the description has its acceptance criteria, too.
        document: What to send.
        original: What Jira has.
        before: The issue at the last sync.
        losses: What Jira would lose.
    """

    part: diff.CorePart | RichTextPart
    document: dict[str, object]
    original: object
    before: Ticket
    losses: tuple[HiddenLossAtLine, ...]

    @property
    def name(self) -> str:
        """What people call the text."""
        return diff.part_name(self.part)

    @property
    def problems_already_in_jira(self) -> tuple[str, ...]:
        """What does not fit Jira's rules though it comes from Jira."""
        known = set(adf.find_problems(self.original))
        return tuple(problem for problem in adf.find_problems(self.document) if problem in known)


def edited_texts(
    before: Ticket,
    here: Ticket,
    parts: Iterable[diff.Part],
    fields: Mapping[str, object],
    id_by_section_name: Mapping[str, str],
    *,
    must_fit_schema: bool = False,
    pictures: Mapping[str, PictureToAttach] = _NO_UPLOADS,
) -> Iterator[GraftedAdf]:
    """Put the edited rich texts of an issue together.

    Args:
        before: The issue at the last sync.
        here: The issue in its file.
        parts: The parts that are to be sent.
        fields: The fields of the issue in Jira, by their IDs.
        id_by_section_name: The IDs of the fields with sections of their own.
        must_fit_schema: See `ticketr.app.jira.adf.graft`.
        pictures: The files that the description shows, by their addresses.

    Yields:
        Each text that is to be sent, except those that are certainly too long for Jira.
    """
    parts = tuple(parts)
    original, media_ids = fields.get(DESCRIPTION_FIELD), media_ids_by_name(fields)
    uploads = uploads_in(here.description, before.description, pictures)
    if text := edited_description(
        before, here, parts, original, media_ids, must_fit_schema=must_fit_schema, uploads=uploads
    ):
        yield text
    names = (part.name for part in parts if isinstance(part, RichTextPart))
    for name in names:
        words = here.rich_texts.get(name, "")
        if name not in id_by_section_name or adf.is_surely_too_long(words):
            continue
        original = wrap_if_plain_text(fields.get(id_by_section_name[name]))
        document = adf.to_adf(words, media_ids=media_ids)
        shown = adf.to_adf(before.rich_texts.get(name, ""), media_ids=media_ids)
        grafted = adf.graft(original, shown, document, must_fit_schema=must_fit_schema)
        losses: list[HiddenLossAtLine] = []
        for what, path in grafted.losses:
            line = adf.line_of(words, document["content"], path) if path else 0
            losses.append(HiddenLossAtLine(what, here.line_numbers.of_text(name, line)))
        yield GraftedAdf(RichTextPart(name), grafted.document, original, before, tuple(losses))


def edited_description(
    before: Ticket,
    here: Ticket,
    parts: Collection[diff.Part],
    original: object,
    media_ids: Mapping[str, str] = MappingProxyType({}),
    *,
    must_fit_schema: bool = False,
    uploads: Mapping[str, PictureToAttach] = _NO_UPLOADS,
) -> GraftedAdf | None:
    """Put the description of an issue together, with its acceptance criteria.

    Args:
        before: The issue at the last sync.
        here: The issue in its file.
        parts: The parts that are to be sent.
        original: The description that Jira has.
        media_ids: The media ID of each file that is attached to the issue, by its name.
        must_fit_schema: See `ticketr.app.jira.adf.graft`.
        uploads: The files that must be attached before, by their addresses.

    Returns:
        The description; None if it is not to be sent, or certainly too long for Jira, so that it
        is not converted.
    """
    parts = diff.DESCRIPTION_PARTS.intersection(parts)
    if not parts:
        return None
    criteria = (
        here.acceptance_criteria if diff.CorePart.CRITERIA in parts else before.acceptance_criteria
    )
    description, body = here.description, None
    if diff.CorePart.DESCRIPTION not in parts:  # it goes back as it is, and is not converted
        description, body = before.description, original
    if adf.is_surely_too_long(*([description] if body is None else []), *criteria):
        return None
    marks = fake_media_ids_by_address(uploads)
    description = adf.with_pictures_as_attachments(description, marks)
    edited = replace(here, description=description, acceptance_criteria=criteria)
    names = {mark: mark for mark in marks.values()}  # a mark is a media ID as well
    document = diff.description_adf(edited, body=body, media_ids={**media_ids, **names})
    shown = diff.description_adf(before, body=body, media_ids=media_ids)
    grafted = adf.graft(original, shown, document, must_fit_schema=must_fit_schema)
    losses = tuple(
        HiddenLossAtLine(what, _block_line(edited, document, path, is_criterion=body is not None))
        for what, path in grafted.losses
    )
    return GraftedAdf(diff.CorePart.DESCRIPTION, grafted.document, original, before, losses)


def _block_line(
    issue: Ticket, document: dict[str, object], path: tuple[int, ...], *, is_criterion: bool
) -> int:
    """Return the line in the file of a block of a description."""
    content = document.get("content")
    if not path or not isinstance(content, list):
        return 0
    criteria = issue.acceptance_criteria
    if criteria and path[0] >= len(content) - 2:
        number = path[1] if len(path) > 1 else 0
        return issue.line_numbers.of_criterion(min(number, len(criteria) - 1), 1)
    if is_criterion:
        return 0
    blocks = content[: len(content) - 2] if criteria else content
    return issue.line_numbers.of_description(adf.line_of(issue.description, blocks, path))
