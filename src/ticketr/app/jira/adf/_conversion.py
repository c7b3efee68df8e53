"""Converts documents by marklas. It is imported at the first conversion, which few runs need.

marklas defines a class for each kind of node, so that its import takes as long as Trio's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from marklas.adf.parser import parse as _parse_adf
from marklas.adf.renderer import render as _render_adf
from marklas.ast import Doc
from marklas.md.parser.block import dispatch_blocks
from marklas.md.parser.ir import collect, is_doc
from marklas.md.parser.normalize import normalize_blocks, tokenize
from marklas.md.renderer import render as _render_markdown

from ticketr.app.jira.adf._addresses import with_linked_addresses
from ticketr.app.jira.adf._canonical import Json, canonical, remove_table_sizes, unsized_canonical
from ticketr.app.jira.adf._placeholders import (
    LINE_PREFIX_REGEX,
    lacks_placeholder_characters,
    percent_decode_and_restore,
    protect_content,
    protect_markdown,
    restore_document,
    restore_markdown,
    restore_piece,
)
from ticketr.app.jira.adf._plain import (
    NO_FILES,
    find_strings,
    is_surely_too_long,
    is_too_large_for_jira,
    plain_lines,
    walk,
)
from ticketr.app.jira.adf._signs import UNUSED_DEFINITION_START_PLACEHOLDER
from ticketr.app.jira.adf._simple import MarkdownOrNodes, MaybeLossyMarkdown
from ticketr.app.jira.adf.forms.files import (
    ATTACHMENT_SCHEME,
    NAMES_AS_MEDIA_IDS,
    replace_names_by_media_ids,
)
from ticketr.app.jira.adf.forms.read import ShortFormToHtmlReader, marked_bullets_to_decisions
from ticketr.app.jira.adf.forms.write import Writer

_LINK_DEFINITION = re.compile(
    rf"({LINE_PREFIX_REGEX})\[(?=((?:[^\\\[\]]|\\.){{1,999}})\]:)", re.MULTILINE
)


def read_tokens(protected: str) -> list[dict[str, Any]]:
    """Return the tokens of protected Markdown, in which HTML stands for the short forms."""
    tokens = tokenize(protected)
    if "]:" in protected:
        used = frozenset(_find_used_labels(tokens))

        def opened(definition: re.Match[str]) -> str:
            if link_label_key(definition[2]) in used:
                return definition[0]
            return f"{definition[1]}{UNUSED_DEFINITION_START_PLACEHOLDER}"

        # Footnotes, and definitions of addresses that no link uses, are text.
        text = _LINK_DEFINITION.sub(opened, protected)
        tokens = tokenize(text) if text != protected else tokens
    return ShortFormToHtmlReader(tokenize, percent_decode_and_restore).read_blocks(tokens)


def used_link_labels(markdown: str) -> frozenset[str]:
    """Return the labels, by `link_label_key`, of the definitions that links and pictures use."""
    return frozenset(map(restore_piece, _find_used_labels(tokenize(protect_markdown(markdown)))))


def link_label_key(label: str) -> str:
    """Return what two labels that mean the same have in common; nothing for one of a footnote."""
    return "" if label.startswith("^") else " ".join(label.split()).lower().upper()


def _find_used_labels(tokens: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the labels of the definitions that links and pictures use."""
    for token in tokens:
        if key := link_label_key(token.get("ref", "")):
            yield key
        yield from _find_used_labels(token.get("children", ()))


#: The blocks that Jira does not accept without a block in them.
_NEVER_EMPTY_NODES = ("listItem", "blockquote")
_BACKTICKS = re.compile("`+")


def converts_to_unsized(
    markdown: str, expected: Json, media_ids: Mapping[str, str] = NO_FILES
) -> bool:
    """Return whether Markdown converts to a document in the form of `unsized_canonical`."""
    if is_surely_too_long(markdown) or is_too_large_for_jira(expected):
        return False
    try:
        return unsized_canonical(read_untidied(markdown, media_ids)) == expected
    except RecursionError:  # below the depth that canonical() looks into
        return False


def write_lossless_short_forms(adf: object, media_ids: Mapping[str, str]) -> MaybeLossyMarkdown:
    """Write a document with short forms, except blocks that would not come back as they are.

    Args:
        adf: The document.
        media_ids: The media ID of each file, by its name.
    """
    markdown, short = render_noting_short_forms(canonical(adf), media_ids)
    expected = unsized_canonical(adf)
    if converts_to_unsized(markdown, expected, media_ids):
        return MaybeLossyMarkdown(markdown, is_lossless=True)
    blocks = expected.get("content", []) if short else []
    long = frozenset(at for at, block in enumerate(blocks) if _needs_long_form(block, media_ids))
    if not long:
        return MaybeLossyMarkdown(markdown, is_lossless=False)
    markdown, _ = render_noting_short_forms(canonical(adf), media_ids, long=long)
    return MaybeLossyMarkdown(markdown, converts_to_unsized(markdown, expected, media_ids))


def convert_in_parts(
    parts: list[MarkdownOrNodes], media_ids: Mapping[str, str]
) -> MaybeLossyMarkdown:
    """Write a document given in parts; only those that are still nodes are read back.

    Args:
        parts: The parts of the document, of `write_simple_blocks`.
        media_ids: The media ID of each file, by its name.
    """
    converted = [
        MaybeLossyMarkdown(part, is_lossless=True)
        if isinstance(part, str)
        else write_lossless_short_forms(document_of(part), media_ids)
        for part in parts
    ]
    markdown = "\n\n".join([part.markdown.removesuffix("\n") for part in converted]) + "\n"
    # Definitions and placeholders count in the whole text.
    stand_alone = "]:" not in markdown and lacks_placeholder_characters(markdown)
    is_lossless = stand_alone and all(part.is_lossless for part in converted)
    return MaybeLossyMarkdown(markdown, is_lossless and not is_surely_too_long(markdown))


def _needs_long_form(block: Any, media_ids: Mapping[str, str]) -> bool:
    """Return whether a block comes back as it is only without short forms."""
    expected = canonical(document_of([block]))
    markdown, short = render_noting_short_forms(canonical(expected), media_ids)
    if not short or converts_to_unsized(markdown, expected, media_ids):
        return False
    return converts_to_unsized(
        render_noting_short_forms(canonical(expected), media_ids, long=(0,))[0], expected, media_ids
    )


def render_noting_short_forms(
    document: Json, media_ids: Mapping[str, str] = NO_FILES, *, long: Collection[int] = ()
) -> tuple[str, bool]:
    """Return a document's Markdown, and whether it holds short forms."""
    remove_table_sizes(document)
    if not all(map(lacks_placeholder_characters, find_strings(document))):
        return _render_markdown(_parse_adf(document)), False
    writer = Writer(_render_by_marklas, media_ids)
    markdown = writer.write_blocks(document.get("content", []), "doc", long=long)
    return f"{markdown}\n" if markdown else "", writer.used


def _render_by_marklas(block: Json) -> str:
    """Return the Markdown of a block, which is changed by it."""
    document = document_of([block])
    protect_content(document)
    markdown: str = _render_markdown(_parse_adf(document))
    return restore_markdown(markdown).removesuffix("\n")


def read_untidied(markdown: str, media_ids: Mapping[str, str] = NO_FILES) -> Json:
    """Return the document that Markdown makes, without the last touches of `tidy_and_number_ids`."""
    protected = protect_markdown(markdown)
    try:
        tokens = normalize_blocks(read_tokens(protected))
        document: Json = _render_adf(Doc(content=collect(dispatch_blocks(tokens), is_doc)))
        if lacks_placeholder_characters(markdown):
            if "<>" in markdown:
                marked_bullets_to_decisions(document)
            restore_document(document)
            if ATTACHMENT_SCHEME in markdown and media_ids is not NAMES_AS_MEDIA_IDS:
                replace_names_by_media_ids(document, media_ids)
        _mend_blocks(document)
    except Exception:  # noqa: BLE001 - Markdown comes in any shape
        return document_of(_paragraph(line) for line in markdown.splitlines() if line.strip())
    return document


def plain_text_as_code_block(adf: Any) -> str:
    """Return the text of a document as a block of code."""
    text = "\n".join(plain_lines(adf))
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}\n"


def convert_each_block_or_its_text(document: Json) -> str:
    """Convert each block that can be converted, and return the text of the others."""
    content = document.get("content")
    blocks = content if type(content) is list else [document]
    parts: list[str] = []
    for block in blocks:
        lines = plain_lines(block)  # first, since rendering puts placeholders into the block
        try:
            markdown, _ = render_noting_short_forms(document_of([block]))
        except Exception:  # noqa: BLE001 - this is the block that marklas stumbled over
            markdown, _ = render_noting_short_forms(document_of(map(_paragraph, lines)))
        if part := markdown.strip("\n"):
            parts.append(part)
    return "\n\n".join(parts) + "\n" if parts else ""


def document_of(blocks: Iterable[Json]) -> Json:
    """Return a document of some blocks."""
    return {"type": "doc", "version": 1, "content": list(blocks)}


def _paragraph(text: str) -> Json:
    return {"type": "paragraph", "content": [{"type": "text", "text": text}]}


def _mend_blocks(document: Json) -> None:
    """Fill items and quotes without content, and make tasks of one paragraph usual ones, in place."""
    for node in walk(document):
        if node["type"] in _NEVER_EMPTY_NODES and not node["content"]:
            node["content"] = [{"type": "paragraph", "content": []}]
        elif node["type"] == "blockTaskItem" and len(node["content"]) < 2:
            only = node["content"][0] if node["content"] else {"type": "paragraph", "content": []}
            if only["type"] == "paragraph":
                node.update(type="taskItem", content=only["content"])


def _first_of_each_mark_type(marks: Iterable[Json]) -> list[Json]:
    """Return the first mark of each type: of HTML in HTML the inner one; texts may have many comments."""
    result: list[Json] = []
    for mark in marks:
        others = result if mark["type"] == "annotation" else [one["type"] for one in result]
        if (mark if mark["type"] == "annotation" else mark["type"]) not in others:
            result.append(mark)
    return result


def tidy_and_number_ids(node: Any, numbers: Iterator[int]) -> None:
    """Number the IDs, drop empty texts and repeated marks, and link bare addresses, in place."""
    if type(node) is not dict:  # a placeholder may hold anything
        return
    attrs, marks, content = node.get("attrs"), node.get("marks"), node.get("content")
    if type(attrs) is dict and "localId" in attrs:
        attrs["localId"] = str(next(numbers))
    if (
        type(marks) is list
        and len(marks) > 1
        and all(type(mark) is dict and type(mark.get("type")) is str for mark in marks)
    ):
        node["marks"] = _first_of_each_mark_type(marks)
    if type(content) is list:
        kept = [child for child in content if type(child) is not dict or child.get("text") != ""]
        content[:] = kept if node.get("type") == "codeBlock" else with_linked_addresses(kept)
        for child in content:
            tidy_and_number_ids(child, numbers)
