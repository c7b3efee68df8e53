"""Edit Markdown in one place, at random, as people do by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import TypeAlias

Lines: TypeAlias = list[str]

_WORD = re.compile(r"(?<![\w<&\"'=/:;{@.])[A-Za-z]{2,}(?![\w>;=\"':/@.])")
_ITEM = re.compile(r"^([ >]*)([-*+]|\d+[.)]) ")
_DELIMITER = re.compile(r"^\|[-:| ]+\|$")


def edit_by_hand(markdown: str, rng: Random) -> tuple[str, str]:
    """Return the name of a random edit that is possible in a text, and the edited text."""
    names = list(EDITS)
    rng.shuffle(names)
    for name in names:
        edited = EDITS[name](markdown.split("\n"), rng)
        if edited is not None:
            return name, "\n".join(edited)
    raise AssertionError("a paragraph can always be added")


def _places(lines: Lines, fits: Callable[[str], object]) -> list[int]:
    """Return the lines outside of code and tags that fit."""
    found: list[int] = []
    fence = ""
    for at, line in enumerate(lines):
        bare = line.strip(" >")
        if fence:
            if bare.startswith(fence) and not bare.strip("`"):
                fence = ""
        elif bare.startswith("```"):
            fence = "`" * (len(bare) - len(bare.lstrip("`")))
        elif "adf=" not in line and not bare.startswith("<") and fits(line):
            found.append(at)
    return found


def _on_line(
    fits: Callable[[str], object], change: Callable[[str, Random], Lines]
) -> Callable[[Lines, Random], Lines | None]:
    """Return an edit that replaces one line."""

    def edit(lines: Lines, rng: Random) -> Lines | None:
        places = _places(lines, fits)
        if not places:
            return None
        at = rng.choice(places)
        return [*lines[:at], *change(lines[at], rng), *lines[at + 1 :]]

    return edit


def _other_word(line: str, rng: Random) -> Lines:
    found = rng.choice(list(_WORD.finditer(line)))
    return [line[: found.start()] + "handwritten" + line[found.end() :]]


def _code_with_bar(line: str, rng: Random) -> Lines:
    found = rng.choice(list(_WORD.finditer(line)))
    return [line[: found.start()] + "`left|right`" + line[found.end() :]]


def _is_row(line: str) -> bool:
    return line.startswith("| ") and line.endswith(" |") and not _DELIMITER.match(line)


def _without_cell(line: str, _: Random) -> Lines:
    return [line.rstrip("|").rpartition("|")[0] + "|"]


def _new_item(line: str, _: Random) -> Lines:
    found = _ITEM.match(line)
    assert found is not None
    return [line, f"{found[0]}handwritten item"]


def _emptied_item(line: str, _: Random) -> Lines:
    found = _ITEM.match(line)
    assert found is not None
    return [found[0].rstrip()]


def _emptied_list(lines: Lines, rng: Random) -> Lines | None:
    """Take the text out of all items that stand together."""
    places = _places(lines, _ITEM.match)
    if not places:
        return None
    first = last = rng.choice(places)
    while first - 1 in places:
        first -= 1
    while last + 1 in places:
        last += 1
    empty = [_emptied_item(each, rng)[0] for each in lines[first : last + 1]]
    return [*lines[:first], *empty, *lines[last + 1 :]]


def _blocks(lines: Lines) -> list[tuple[int, int]]:
    """Return the start and end of each stretch of simple lines at the top level."""
    found: list[tuple[int, int]] = []
    simple = set(_places(lines, lambda line: line and line[0] not in " <`"))
    start = 0
    for at in range(len(lines) + 1):
        if at == len(lines) or not lines[at]:
            before = start == 0 or not lines[start - 1]
            if start < at and before and all(each in simple for each in range(start, at)):
                found.append((start, at))
            start = at + 1
    return found


def _new_paragraph(lines: Lines, rng: Random) -> Lines:
    ends = [end for _, end in _blocks(lines)]
    at = rng.choice([*ends, len(lines)])
    return [*lines[:at], "", "A handwritten paragraph", "in two lines.", "", *lines[at:]]


def _deleted_block(lines: Lines, rng: Random) -> Lines | None:
    if not (blocks := _blocks(lines)):
        return None
    start, end = rng.choice(blocks)
    return [*lines[:start], *lines[end + 1 :]]


def _copied_block(lines: Lines, rng: Random) -> Lines | None:
    if not (blocks := _blocks(lines)):
        return None
    start, end = rng.choice(blocks)
    return [*lines[:end], "", *lines[start:end], "", *lines[end:]]


def _moved_block(lines: Lines, rng: Random) -> Lines | None:
    if len(blocks := _blocks(lines)) < 2:
        return None
    (start, end), (_, to) = sorted(rng.sample(blocks, 2))
    return [*lines[:start], *lines[end + 1 : to], "", *lines[start:end], "", *lines[to:]]


def _heading(line: str, _: Random) -> Lines:
    return [f"#{line}" if line.startswith("#") else f"## {line}"]


def _ticked(line: str, _: Random) -> Lines:
    return [line.replace("[ ]", "[x]", 1)]


EDITS: dict[str, Callable[[Lines, Random], Lines | None]] = {
    "a word": _on_line(_WORD.search, _other_word),
    "a bar in code": _on_line(_WORD.search, _code_with_bar),
    "more words": _on_line(_WORD.search, lambda line, _: [f"{line} and by hand"]),
    "a cell too few": _on_line(_is_row, _without_cell),
    "a cell too many": _on_line(_is_row, lambda line, _: [f"{line} handwritten |"]),
    "a new row": _on_line(_is_row, lambda line, _: [line, "| handwritten | row |"]),
    "a new item": _on_line(_ITEM.match, _new_item),
    "an emptied item": _on_line(_ITEM.match, _emptied_item),
    "an emptied list": _emptied_list,
    "a new paragraph": _new_paragraph,
    "a deleted block": _deleted_block,
    "a copied block": _copied_block,
    "a moved block": _moved_block,
    "a heading": _on_line(lambda line: line[:1].isalpha() or line.startswith("# "), _heading),
    "a done task": _on_line(lambda line: "- [ ] " in line, _ticked),
}
