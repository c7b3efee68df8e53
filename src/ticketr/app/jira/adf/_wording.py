"""Keeps the wording of Markdown: a block that means the same stays as its author wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ticketr.app.jira.adf import to_adf
from ticketr.app.jira.adf._alignment import match_equal
from ticketr.app.jira.adf._canonical import Json, unsized_canonical
from ticketr.app.jira.adf._conversion import link_label_key, used_link_labels
from ticketr.app.jira.adf._plain import NO_FILES, is_surely_too_long
from ticketr.app.jira.adf._tables import fence_indexes

_LINK_DEFINITION = re.compile(r"^ {0,3}\[([^\]\n]+)\]:[ \t]*\S.*$", re.MULTILINE)
_BULLET_ITEM_START = re.compile(r"^([ ]*)([-*+])([ ])")
# What may differ in lines that mean the same: bullets, and blanks and dashes in tables.
_BULLET_BAR_OR_DASHES = re.compile(
    r"^(?P<indent>[ ]*)(?P<item>[-*+][ ])|(?P<bar>[ ]*\|[ ]*)|:?-{2,}:?(?=[ ]*\|)"
)
#: How many stretches of lines one block may consist of.
_MAX_STRETCHES_JOINED_TO_BLOCK = 40


@dataclass(frozen=True, slots=True)
class BlockStretch:
    """Some lines of Markdown that make whole blocks.

    Attributes:
        text: The lines.
        canonical_json: The canonical form of each block, as JSON.
    """

    text: str
    canonical_json: tuple[str, ...]


def reworded(markdown: str, like: str, *, media_ids: Mapping[str, str] = NO_FILES) -> str:
    """Return Markdown in the wording of another text, block by block where both mean the same.

    Args:
        markdown: The Markdown.
        like: The text whose wording is kept: its line breaks, its bullets, its links by reference.
        media_ids: The media ID of each file that is attached to the issue, by its name.

    Returns:
        Markdown that means the same as the first one; the same text if the two cannot be compared.
    """
    if markdown == like or is_surely_too_long(markdown) or is_surely_too_long(like):
        return markdown
    read = partial(to_adf, media_ids=media_ids)
    wanted = _canonical_blocks(read(markdown))
    stretches = split_stretches(markdown, read)
    others = split_stretches(like, read)
    if stretches is None or others is None:
        return markdown
    result = "\n\n".join(_reword_stretches(stretches, others, read))
    used = [definition[0] for definition in _used_definitions(like) if definition[0] not in result]
    for text in (result, "\n\n".join([result, *used])):
        if _canonical_blocks(read(text)) == wanted:
            return text
    return markdown


def _reword_stretches(
    stretches: Sequence[BlockStretch], like: Sequence[BlockStretch], read: Callable[[str], Json]
) -> Iterator[str]:
    """Yield the text of each stretch, worded like its counterpart where both mean the same."""
    start = before = 0
    pairs = match_equal(
        [stretch.canonical_json for stretch in stretches],
        [stretch.canonical_json for stretch in like],
    )
    for at, other in [*pairs, (len(stretches), len(like))]:
        olds = like[before:other]
        for number, stretch in enumerate(stretches[start:at]):
            # A changed stretch follows the lines of the one in its place.
            old = olds[number] if len(olds) == at - start else None
            tried = _candidate_rewordings(stretch.text, old.text) if old is not None else ()
            yield next(
                (text for text in tried if _canonical_blocks(read(text)) == stretch.canonical_json),
                stretch.text,
            )
        if at < len(stretches):
            yield like[other].text
        start, before = at + 1, other + 1


def _candidate_rewordings(text: str, like: str) -> Iterator[str]:
    """Yield some lines as another text has them, where they differ in their form alone.

    Nothing is certain here: the result may mean something else. It is yielded without the blank
    lines that the other text does not have, and with them.
    """
    lines, others = text.split("\n"), like.split("\n")
    bullet = next((match[2] for line in others if (match := _BULLET_ITEM_START.match(line))), "-")
    bare = [
        [_BULLET_BAR_OR_DASHES.sub(_normal_bullet_or_table_sign, line).rstrip() for line in side]
        for side in (lines, others)
    ]
    same = dict(match_equal(*bare))
    for has_blank_lines in (False, True):
        yield "\n".join(
            others[same[at]] if at in same else _BULLET_ITEM_START.sub(rf"\1{bullet}\3", line)
            for at, line in enumerate(lines)
            if at in same or has_blank_lines or line
        )


def _normal_bullet_or_table_sign(match: re.Match[str]) -> str:
    """Return what the form of a line says: `* a` is an item as `- a` is one."""
    if match["item"]:
        return f"{match['indent']}- "
    return "|" if match["bar"] else "-"


def split_stretches(markdown: str, read: Callable[[str], Json]) -> list[BlockStretch] | None:
    """Split Markdown into stretches of lines that can be read by themselves.

    Args:
        markdown: The Markdown.
        read: Converts Markdown to a document.

    Returns:
        The stretches, without the blank lines between them; None if it cannot be split.
    """
    wanted = _canonical_blocks(read(markdown))
    definitions = _used_definitions(markdown)
    # Without a link, a definition is text, so each part is read with a paragraph of links.
    links = " ".join(f"[{definition[1]}]" for definition in definitions)
    rest = (
        "\n".join(["", "", *(definition[0] for definition in definitions), "", links])
        if links
        else ""
    )
    result: list[BlockStretch] = []
    at = joined = 0
    text = ""
    keys: tuple[str, ...] = ()
    for lines in _split_top_level_paragraphs(markdown):
        text = f"{text}\n\n{lines}" if text else lines
        keys = _canonical_blocks(read(text + rest))
        keys = keys[:-1] if rest else keys
        if not keys or keys != wanted[at : at + len(keys)]:  # it goes together with the next lines
            joined += 1
            if joined > _MAX_STRETCHES_JOINED_TO_BLOCK:
                return None
            continue
        result.append(BlockStretch(text, keys))
        at, joined, text = at + len(keys), 0, ""
    if text and result and not keys:
        result[-1] = BlockStretch(f"{result[-1].text}\n\n{text}", result[-1].canonical_json)
        text = ""
    return result if at == len(wanted) and not text else None


def _used_definitions(markdown: str) -> list[re.Match[str]]:
    """Return the definitions of addresses that links use; all others are text."""
    definitions = list(_LINK_DEFINITION.finditer(markdown))
    if not definitions:
        return []
    used = used_link_labels(markdown)
    return [definition for definition in definitions if link_label_key(definition[1]) in used]


def _canonical_blocks(document: Json) -> tuple[str, ...]:
    content = unsized_canonical(document).get("content", [])
    return tuple(json.dumps(value, sort_keys=True) for value in content)


def _split_top_level_paragraphs(markdown: str) -> Iterator[str]:
    """Yield the stretches between blank lines; indented lines and code belong to what is before."""
    waiting: list[str] = []
    blank = False
    lines = markdown.strip("\n").split("\n")
    code = {at for start, end in fence_indexes(lines) for at in range(start + 1, end + 1)}
    for at, line in enumerate(lines):
        if at not in code and blank and line.strip() and not line[0].isspace():
            yield "\n".join(waiting).rstrip()
            waiting = []
        blank = not line.strip()
        if waiting or not blank:
            waiting.append(line)
    if waiting:
        yield "\n".join(waiting).rstrip()
