"""Converts Jira's rich text (the Atlassian Document Format, ADF) to Markdown and back.

marklas converts. This package adds the canonical form of a document, escapes that marklas lacks,
fixed IDs instead of random ones, and the check whether a document survives the round trip. A
document that does not is still shown, and must not be overwritten in Jira unless the user edited
it.

No function here raises for any input. A document or Markdown beyond Jira's size limit is not
converted: it becomes a block of code.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import count, islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from marklas.adf.parser import parse as _parse_adf
from marklas.adf.renderer import render as _render_adf
from marklas.ast import Doc
from marklas.md.parser.block import dispatch_blocks
from marklas.md.parser.ir import collect, is_doc
from marklas.md.parser.normalize import normalize_blocks
from marklas.md.renderer import render as _render_markdown

from ticketr.jira.adf._addresses import link_addresses
from ticketr.jira.adf._canonical import Json, canonical
from ticketr.jira.adf._check import problems
from ticketr.jira.adf._dropped import DroppedPiece, find_dropped
from ticketr.jira.adf._graft import Grafted, Lost, graft as _graft
from ticketr.jira.adf._lines import line_of
from ticketr.jira.adf._missing import missing
from ticketr.jira.adf._placeholders import (
    APART,
    has_no_placeholders,
    protect_document,
    protect_markdown,
    restore_document,
    restore_markdown,
)
from ticketr.jira.adf._plain import plain_lines
from ticketr.jira.adf._size import LONGEST_TEXT, is_too_large, is_too_long, weight
from ticketr.jira.adf._tokens import read_tokens
from ticketr.jira.adf._unconverted import UnconvertedPiece, find_unconverted
from ticketr.jira.adf._wording import reworded as _reworded
from ticketr.jira.adf.forms import ATTACHED, Writer, name_files, read_decisions
from ticketr.jira.adf.forms.people import NamedPerson, named_people, with_people

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

__all__ = [
    "LONGEST_TEXT",
    "Converted",
    "Grafted",
    "Lost",
    "NamedPerson",
    "canonical",
    "convert",
    "dropped_pieces",
    "dropped_texts",
    "graft",
    "is_exact",
    "is_too_large",
    "is_too_long",
    "length",
    "line_of",
    "missing",
    "named_people",
    "plain_document",
    "problems",
    "reworded",
    "to_adf",
    "to_markdown",
    "unconverted_pieces",
    "weight",
    "with_people",
]

_MOST_PIECES = 10
_NO_FILES: Mapping[str, str] = MappingProxyType({})
_BACKTICKS = re.compile("`+")


@dataclass(frozen=True, slots=True)
class Converted:
    """A document as Markdown.

    Attributes:
        markdown: The Markdown; empty, or ending in one newline.
        exact: Whether it says all that the document says.
    """

    markdown: str
    exact: bool


def convert(adf: object, *, files: Mapping[str, str] = _NO_FILES) -> Converted:
    """Turn a document into Markdown and check that nothing was lost.

    Args:
        adf: A document as Jira sends it; None for an empty one.
        files: The media ID of each file that is attached to the issue, by its name.

    Returns:
        The same as `to_markdown` and `is_exact`, for less work.
    """
    if is_too_large(adf):
        return Converted(_as_code(adf), exact=False)
    try:
        return _shortest(adf, files, is_checked=True)
    except Exception:  # noqa: BLE001 - documents come in any shape, and marklas trusts its input
        markdown = _block_by_block(canonical(adf))
        return Converted(markdown, _matches(markdown, canonical(adf), files))


def to_markdown(adf: object, *, files: Mapping[str, str] = _NO_FILES) -> str:
    """Turn a document into Markdown.

    Args:
        adf: A document as Jira sends it; None for an empty one. What marklas cannot convert
            becomes readable plain text.
        files: The media ID of each file that is attached to the issue, by its name.

    Returns:
        The Markdown, the same one every time; empty, or ending in one newline.
    """
    if is_too_large(adf):
        return _as_code(adf)
    try:
        return _shortest(adf, files).markdown
    except Exception:  # noqa: BLE001 - documents come in any shape, and marklas trusts its input
        return _block_by_block(canonical(adf))


def to_adf(markdown: str, *, files: Mapping[str, str] = _NO_FILES) -> Json:
    """Turn Markdown into a document.

    Args:
        markdown: Any Markdown, with marklas's HTML for what Markdown cannot say.
        files: The media ID of each file that is attached to the issue, by its name. A picture of
            another one becomes text.

    Returns:
        A document for Jira; the parts of task and decision lists are numbered, for they need IDs.
    """
    if is_too_long(markdown):
        return plain_document(markdown)
    document = _read(markdown, files)
    _tidy(document, count(1))
    return document


def plain_document(text: str) -> Json:
    """Return a document that holds a text unchanged, in one block of code."""
    return _document([{"type": "codeBlock", "content": [{"type": "text", "text": text}]}])


def dropped_texts(markdown: str) -> tuple[str, ...]:
    """Return what `to_adf` drops of Markdown, such as a comment, or a heading in a list.

    A document cannot hold everything in every place. marklas drops such parts with their text, so
    the caller must not replace a document in Jira without a warning.

    Args:
        markdown: Any Markdown.

    Returns:
        The first pieces of text that are not in the document; empty if all are.
    """
    return tuple(each.text for each in dropped_pieces(markdown))


def dropped_pieces(markdown: str, *, before: str = "") -> tuple[DroppedPiece, ...]:
    """Return the same as `dropped_texts`, each piece with its line and, as a text, what to do about it.

    Args:
        markdown: Any Markdown.
        before: The Markdown before the edit, whose pieces are not reported again.
    """
    if is_too_long(markdown):
        return ()
    found = find_dropped(markdown, _read(markdown))
    if before:
        found = _not_among(found, find_dropped(before, _read(before)))
    return tuple(islice(found, _MOST_PIECES))


def _not_among(
    pieces: Iterable[DroppedPiece], others: Iterable[DroppedPiece]
) -> Iterator[DroppedPiece]:
    known = Counter(each.text for each in others)
    for each in pieces:
        if known[each.text]:
            known[each.text] -= 1
        else:
            yield each


def unconverted_pieces(
    markdown: str, *, before: str = "", files: Mapping[str, str] = _NO_FILES
) -> tuple[UnconvertedPiece, ...]:
    """Return the pieces of Markdown syntax that reach Jira as plain text.

    Args:
        markdown: Any Markdown.
        before: The Markdown before the edit, whose pieces are not reported again.
        files: The media ID of each file that is attached to the issue, by its name.
    """
    if is_too_long(markdown):
        return ()
    found = find_unconverted(markdown, _read(markdown, files), before=before)
    return tuple(islice(found, _MOST_PIECES))


def length(document: object) -> int:
    """Count the characters of a document's texts, and one for each end of a line.

    Jira counts a little more for what marks them, so what is longer than `LONGEST_TEXT` here is
    refused there.
    """
    if not isinstance(document, dict):
        return 0
    return len("\n".join(plain_lines(document)))


def graft(
    ours: object,
    shown: Json,
    edited: Json,
    *,
    fitting: bool = False,
    files: Mapping[str, str] = _NO_FILES,
) -> Grafted:
    """Put an edited description together from Jira's own blocks and those that were edited.

    A block that reads in the file as before goes back as Jira has it, equal as JSON; only edited
    blocks are converted.

    Args:
        ours: The document that Jira has.
        shown: What the file said of it before the edit, as a document.
        edited: What the file says now, as a document.
        fitting: Whether to convert all of it if Jira's own blocks do not fit Jira's rules. Jira
            may have changed its rules since we learned them, and may refuse what it has kept from
            older days.
        files: The media ID of each file that is attached to the issue, by its name.

    Returns:
        The document to send, and what Jira would lose by it.
    """

    def shown_of(document: Json) -> Json:
        return to_adf(to_markdown(document, files=files), files=files)

    return _graft(ours, shown, edited, shown_of, fitting=fitting)


def is_exact(adf: object, markdown: str, *, files: Mapping[str, str] = _NO_FILES) -> bool:
    """Return whether Markdown converts back to exactly the same document.

    Args:
        adf: A document as Jira sends it.
        markdown: The Markdown that stands for it.
        files: The media ID of each file that is attached to the issue, by its name.
    """
    return _matches(markdown, canonical(adf), files)


def reworded(markdown: str, like: str) -> str:
    """Return Markdown in the wording of another text, block by block where both mean the same.

    Args:
        markdown: The Markdown.
        like: The text whose wording is kept: its line breaks, its bullets, its links by reference.

    Returns:
        Markdown that means the same as the first one.
    """
    if markdown == like or is_too_long(markdown) or is_too_long(like):
        return markdown
    return _reworded(markdown, like, to_adf)


def _matches(markdown: str, wanted: Json, files: Mapping[str, str] = _NO_FILES) -> bool:
    if is_too_long(markdown) or is_too_large(wanted):
        return False
    try:
        return canonical(_read(markdown, files)) == wanted
    except RecursionError:  # below the depth that canonical() looks into
        return False


def _shortest(adf: object, files: Mapping[str, str], *, is_checked: bool = False) -> Converted:
    """Write a document with short forms, but for the blocks that would not come back as they are.

    Args:
        adf: The document.
        files: The media ID of each file, by its name.
        is_checked: Whether to find out if the result is exact; otherwise it is said to be.
    """
    markdown, short = _render(canonical(adf), files)
    if not short and not is_checked:
        return Converted(markdown, exact=True)
    wanted = canonical(adf)
    if _matches(markdown, wanted, files):
        return Converted(markdown, exact=True)
    blocks = wanted.get("content", []) if short else []
    long = frozenset(at for at, block in enumerate(blocks) if _needs_length(block, files))
    if not long:
        return Converted(markdown, exact=False)
    markdown, _ = _render(canonical(adf), files, long=long)
    return Converted(markdown, is_checked and _matches(markdown, wanted, files))


def _needs_length(block: Any, files: Mapping[str, str]) -> bool:
    """Return whether a block comes back as it is only without short forms."""
    wanted = canonical(_document([block]))
    markdown, short = _render(canonical(wanted), files)
    if not short or _matches(markdown, wanted, files):
        return False
    return _matches(_render(canonical(wanted), files, long=(0,))[0], wanted, files)


def _render(
    document: Json, files: Mapping[str, str] = _NO_FILES, *, long: Collection[int] = ()
) -> tuple[str, bool]:
    """Return a document's Markdown, and whether it holds short forms."""
    writer = Writer(apart=APART, files=files, long=long)
    protected = protect_document(document, writer.write)
    markdown: str = _render_markdown(_parse_adf(document))
    return restore_markdown(markdown) if protected else markdown, writer.used


def _read(markdown: str, files: Mapping[str, str] = _NO_FILES) -> Json:
    protected = protect_markdown(markdown)
    try:
        tokens = normalize_blocks(read_tokens(protected))
        document: Json = _render_adf(Doc(content=collect(dispatch_blocks(tokens), is_doc)))
        if has_no_placeholders(markdown):
            if "<>" in markdown:
                read_decisions(document)
            restore_document(document)
            if ATTACHED in markdown:
                name_files(document, files)
    except Exception:  # noqa: BLE001 - Markdown comes in any shape
        return _document(_paragraph(line) for line in markdown.splitlines() if line.strip())
    return document


def _as_code(adf: Any) -> str:
    """Return the text of a document as a block of code."""
    text = "\n".join(plain_lines(adf))
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}\n"


def _block_by_block(document: Json) -> str:
    """Convert each block that can be converted, and return the text of the others."""
    content = document.get("content")
    blocks = content if type(content) is list else [document]
    parts = [part for part in (_one_block(block).strip("\n") for block in blocks) if part]
    return "\n\n".join(parts) + "\n" if parts else ""


def _one_block(block: Any) -> str:
    lines = plain_lines(block)  # first, since rendering puts placeholders into the block
    try:
        return _render(_document([block]))[0]
    except Exception:  # noqa: BLE001 - this is the block that marklas stumbled over
        return _render(_document(map(_paragraph, lines)))[0]


def _document(blocks: Iterable[Json]) -> Json:
    return {"type": "doc", "version": 1, "content": list(blocks)}


def _paragraph(text: str) -> Json:
    return {"type": "paragraph", "content": [{"type": "text", "text": text}]}


def _tidy(node: Json, numbers: Iterator[int]) -> None:
    """Number the IDs, drop empty texts and link bare addresses, in place."""
    attrs = node.get("attrs")
    if attrs and "localId" in attrs:
        attrs["localId"] = str(next(numbers))
    content = node.get("content")
    if content:
        kept = [child for child in content if child.get("text") != ""]
        content[:] = kept if node.get("type") == "codeBlock" else link_addresses(kept)
        for child in content:
            _tidy(child, numbers)
