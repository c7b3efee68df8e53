"""Converts Jira's rich text (the Atlassian Document Format, ADF) to Markdown and back.

marklas converts. This package adds the canonical form of a document, escapes that marklas lacks,
fixed IDs instead of random ones, and the check whether a document survives the round trip. A
document that does not is still shown, and must not be overwritten in Jira unless the user edited
it.

No function here raises for any input. A document or Markdown beyond Jira's size limit is not
converted: it becomes a block of code.
"""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING

from ticketr._lazy import import_on_use, type_checking_imports
from ticketr.app.jira.adf._canonical import Json, canonical, unsized_canonical
from ticketr.app.jira.adf._plain import (
    MAX_JIRA_CHARACTERS,
    NO_FILES,
    is_surely_too_long,
    is_too_large_for_jira,
    marklas_cost,
    plain_lines,
)
from ticketr.app.jira.adf._simple import (
    SIMPLE_TEXT_SPEEDUP_FACTOR,
    MaybeLossyMarkdown,
    conversion_cost,
    simple_markdown,
    write_simple_blocks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.app.jira.adf._graft import Grafted, graft
    from ticketr.app.jira.adf._losses import FaultyPiece, line_of
    from ticketr.app.jira.adf._schema import find_problems
    from ticketr.app.jira.adf._wording import reworded
    from ticketr.app.jira.adf.forms.files import (
        NAMES_AS_MEDIA_IDS,
        PicturedFile,
        lone_local_picture_addresses,
        pictured_files,
        with_pictures_as_attachments,
        with_pictures_as_text,
        with_replaced_media_ids,
    )
    from ticketr.app.jira.adf.forms.inline import NamedPerson, named_people, with_account_ids

#: What most descriptions hold.
_TYPICAL_MARKDOWN = """\
## One

**Two** `three` & <four> :smile: [five](https://example.com), https://example.com/six?seven=#8

- nine
  - ten

```sql
eleven
```
"""


def load_conversions() -> None:
    """Import what conversions use, compile its patterns, and read the table of emoji.

    It takes some 0.2 s, once in a process. Call it on a worker thread before the first conversion
    on a thread that must not stand still.
    """
    from ticketr.app.jira.adf import _conversion

    convert(_conversion.read_untidied(_TYPICAL_MARKDOWN, NO_FILES))


def convert(adf: object, *, media_ids: Mapping[str, str] = NO_FILES) -> MaybeLossyMarkdown:
    """Turn a document into Markdown and check that nothing was lost.

    Args:
        adf: A document as Jira sends it; None for an empty one.
        media_ids: The media ID of each file that is attached to the issue, by its name.

    Returns:
        The Markdown, the same one every time, and whether it says all that the document says.
    """
    if (markdown := simple_markdown(adf)) is not None:
        return MaybeLossyMarkdown(markdown, is_lossless=True)
    from ticketr.app.jira.adf import _conversion

    if is_too_large_for_jira(adf):
        return MaybeLossyMarkdown(_conversion.plain_text_as_code_block(adf), is_lossless=False)
    try:
        parts = write_simple_blocks(adf)
        converted = _conversion.convert_in_parts(parts, media_ids) if len(parts) > 1 else None
        if converted is not None and converted.is_lossless:
            return converted
        return _conversion.write_lossless_short_forms(adf, media_ids)
    except Exception:  # noqa: BLE001 - documents come in any shape, and marklas trusts its input
        markdown = _conversion.convert_each_block_or_its_text(canonical(adf))
        is_lossless = _conversion.converts_to_unsized(markdown, unsized_canonical(adf), media_ids)
        return MaybeLossyMarkdown(markdown, is_lossless)


def to_markdown(adf: object, *, media_ids: Mapping[str, str] = NO_FILES) -> str:
    """Turn a document into Markdown.

    Args:
        adf: A document as Jira sends it; None for an empty one. What marklas cannot convert
            becomes readable plain text.
        media_ids: The media ID of each file that is attached to the issue, by its name.

    Returns:
        The Markdown, the same one every time; empty, or ending in one newline.
    """
    return convert(adf, media_ids=media_ids).markdown


def to_adf(markdown: str, *, media_ids: Mapping[str, str] = NO_FILES) -> Json:
    """Turn Markdown into a document.

    Args:
        markdown: Any Markdown, with marklas's HTML for what Markdown cannot say.
        media_ids: The media ID of each file that is attached to the issue, by its name. A picture
            of another one becomes text.

    Returns:
        A document for Jira; the parts of task and decision lists are numbered, for they need IDs.
    """
    if is_surely_too_long(markdown):
        return code_block_document(markdown)
    from ticketr.app.jira.adf import _conversion

    document = _conversion.read_untidied(markdown, media_ids)
    _conversion.tidy_and_number_ids(document, count(1))
    return document


def code_block_document(text: str) -> Json:
    """Return a document that holds a text unchanged, in one block of code."""
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "codeBlock", "content": [{"type": "text", "text": text}]}],
    }


def lost_texts(markdown: str) -> tuple[str, ...]:
    """Return what `to_adf` drops of Markdown, such as a comment, or a heading in a list.

    Args:
        markdown: Any Markdown.

    Returns:
        The first pieces of text that are not in the document; empty if all are.
    """
    return tuple(piece.text for piece in faulty_pieces(markdown) if piece.is_lost)


def faulty_pieces(
    markdown: str,
    *,
    before: str = "",
    media_ids: Mapping[str, str] = NO_FILES,
    picture_problems: Mapping[str, str] = NO_FILES,
) -> tuple[FaultyPiece, ...]:
    """Return the pieces of Markdown that do not reach Jira as they are written.

    A document cannot hold everything in every place. The caller must not replace a document in Jira
    by one that lost a piece; other pieces are sent as plain text, which a warning says.

    Args:
        markdown: Any Markdown.
        before: The Markdown before the edit, whose pieces are not reported again.
        media_ids: The media ID of each file that is attached to the issue, by its name.
        picture_problems: Why a picture of a file on disk leaves the reader without it, by its
            address; empty for one that is attached.

    Returns:
        The first pieces, those that are lost before the others.
    """
    if is_surely_too_long(markdown):
        return ()
    from ticketr.app.jira.adf import _losses

    pieces = _losses.faulty_pieces(markdown, before, media_ids, picture_problems)
    return tuple(islice(pieces, _losses.MAX_NAMED_LOSSES))


def text_length(document: object) -> int:
    """Count the characters of a document's texts, and one for each end of a line.

    Jira counts a little more for what marks them, so what is longer than `MAX_JIRA_CHARACTERS` here is
    refused there.
    """
    if not isinstance(document, dict):
        return 0
    return len("\n".join(plain_lines(document)))


if not TYPE_CHECKING:  # pragma: no branch - to a type checker, any name would seem to exist
    _HOMES = type_checking_imports(__name__, __file__)
    __all__ = list(_HOMES)
    __getattr__ = import_on_use(__name__, _HOMES)
