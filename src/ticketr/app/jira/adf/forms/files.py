"""Pictures and files that are attached to the issue: ``![alt](attachment:shot.png)``.

A document names a file by its media ID, and Markdown by its name. A table, given by the caller,
has the media ID of each name. While Markdown is read, the name is in the place of the ID.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ticketr._lazy import compile_on_use
from ticketr.app.jira.adf import to_adf
from ticketr.app.jira.adf._canonical import Json, content_of
from ticketr.app.jira.adf._plain import is_surely_too_long
from ticketr.app.jira.adf._signs import protect_signs
from ticketr.app.jira.adf._tables import blank_code_keeping_lines

#: Stands before the name of a file.
ATTACHMENT_SCHEME = "attachment:"


#: Leaves the names of files in the place of media IDs, to compare texts by them.
NAMES_AS_MEDIA_IDS: Final[Mapping[str, str]] = MappingProxyType({"": ""})

_LAYOUT_REGEX = "wide|full-width|center|wrap-right|wrap-left|align-end|align-start"
_NUMBER = r"\d{1,5}(?:\.\d{1,12})?"
# How a picture is placed, its width in percent or pixels, and its own size.
_PICTURE_PLACEMENT = compile_on_use(
    rf"\{{(?:(?P<layout>{_LAYOUT_REGEX}))?(?: ?(?P<width>{_NUMBER})(?P<unit>%|px))?"
    rf"(?: ?(?P<across>\d{{1,5}})x(?P<down>\d{{1,5}}))?\}}",
    re.ASCII,
)
_WIDTH_UNITS = {"%": "percentage", "px": "pixel"}
_ESCAPED_CHARACTER = compile_on_use(r"\\([!-/:-@\[-`{-~])")
_NEEDS_BRACKETS = compile_on_use(r"[\s()]")


@dataclass(frozen=True, slots=True)
class PicturedFile:
    """A file that a picture in a document shows.

    Attributes:
        media_id: Its media ID.
        alt: What is shown without it, which often is its name.
    """

    media_id: str
    alt: str


#: What holds text, and no picture.
_NODES_WITHOUT_PICTURES = ("paragraph", "heading", "codeBlock")  # a tuple: a type may be unhashable


def pictured_files(document: object) -> tuple[PicturedFile, ...]:
    """Return the files that the pictures in a document show, each once."""
    shown: dict[str, PicturedFile] = {}
    waiting = [document]
    while waiting:
        node = waiting.pop()
        match node:
            case {
                "type": "mediaSingle",
                "content": [{"attrs": {"type": "file", "id": str(media)} as attrs}, *_],
            } if media:
                shown.setdefault(media, PicturedFile(media, str(attrs.get("alt", ""))))
            case _:
                waiting += [
                    node
                    for node in reversed(content_of(node))
                    if type(node) is dict
                    and "content" in node
                    and node.get("type") not in _NODES_WITHOUT_PICTURES
                ]
    return tuple(shown.values())


def with_replaced_media_ids(document: Any, ids: Mapping[str, str]) -> Any:
    """Return a document with other media IDs; what does not change is shared with it.

    Args:
        document: A document, or a part of one.
        ids: The new media IDs, by the present ones.
    """
    if type(document) is list:
        result = [with_replaced_media_ids(value, ids) for value in document]
        return document if all(a is b for a, b in zip(result, document, strict=True)) else result
    if type(document) is not dict:
        return document
    match document:
        case {"type": "media", "attrs": {"id": str(media)} as attrs} if media in ids:
            return {**document, "attrs": {**attrs, "id": ids[media]}}
    content = document.get("content")
    result = with_replaced_media_ids(content, ids)
    return document if result is content else {**document, "content": result}


def read_picture_attrs(alt: str, address: str, placed: str | None) -> tuple[Json, Json] | None:
    """Return the attributes of a picture's block and of its file; None for any other block.

    Args:
        alt: What is shown without the picture.
        address: Its address.
        placed: What follows it; None for nothing.
    """
    match = _PICTURE_PLACEMENT.fullmatch("{}" if placed is None else placed)
    if not address.startswith(ATTACHMENT_SCHEME) or address == ATTACHMENT_SCHEME or match is None:
        return None
    block: Json = {"layout": match["layout"] or "center"}
    if match["width"]:
        width = float(match["width"]) if "." in match["width"] else int(match["width"])
        if match["unit"] == "%" and width > 100:  # Jira refuses it
            return None
        block |= {"width": width, "widthType": _WIDTH_UNITS[match["unit"]]}
    media: Json = {"type": "file", "id": address, "collection": ""}
    if alt:
        media["alt"] = alt
    if match["across"]:
        media |= {"width": int(match["across"]), "height": int(match["down"])}
    return block, media


def write_picture(node: Json, names: Mapping[str, str]) -> list[Json] | None:
    """Return the text that stands for a picture, or None if no short form says all of it.

    Args:
        node: The block of the picture.
        names: The name of each file, by its media ID.
    """
    match node:
        case {"attrs": dict(block), "content": [{"type": "media", "attrs": dict(attrs)} as media]}:
            pass
        case _:
            return None
    if node.keys() != {"type", "attrs", "content"} or media.keys() != {"type", "attrs"}:
        return None
    identity = attrs.get("id")
    name = names.get(identity) if isinstance(identity, str) else None
    alt = attrs.get("alt", "")
    if name is None or not _is_plain(name) or not (alt == "" or _is_plain(alt)):
        return None
    layout = _write_placement(block, attrs)
    wanted = {**attrs, "id": ATTACHMENT_SCHEME + name}
    if read_picture_attrs(alt, ATTACHMENT_SCHEME + name, layout or None) != (block, wanted):
        return None
    address = protect_signs(f"]({markdown_attachment_address(name)})")
    return [{"type": "text", "text": f"{protect_signs('![')}{alt}{address}{layout}"}]


def replace_names_by_media_ids(node: Any, media_ids: Mapping[str, str]) -> None:
    """Put media IDs into the place of names, in place; a picture of no known file becomes text."""
    content = content_of(node)
    for at, child in enumerate(content):
        match child:
            case {
                "type": "mediaSingle",
                "content": [{"attrs": {"id": str(name)} as attrs}, *_],
            } if name.startswith(ATTACHMENT_SCHEME):
                file = name.removeprefix(ATTACHMENT_SCHEME)
                if file in media_ids:
                    attrs["id"] = media_ids[file]
                else:
                    words = f"![{attrs.get('alt', '')}]({markdown_attachment_address(file)})"
                    content[at] = {
                        "type": "paragraph",
                        "content": [{"type": "text", "text": words}],
                    }
            case _:
                replace_names_by_media_ids(child, media_ids)


def without_escapes(address: str) -> str:
    """Return an address without the backslashes that Markdown has before signs."""
    return _ESCAPED_CHARACTER.sub(r"\1", address)


def markdown_attachment_address(name: str) -> str:
    """Return the address of an attached file as Markdown has it."""
    address = f"{ATTACHMENT_SCHEME}{name}"
    return f"<{address}>" if _NEEDS_BRACKETS.search(name) else address


def _write_placement(block: Json, attrs: Json) -> str:
    """Return the layout and the sizes of a picture in braces, as in Markdown; empty for none."""
    parts: list[str] = []
    if block.get("layout") != "center":
        parts.append(str(block.get("layout")))
    if "width" in block:
        unit = next(
            (sign for sign, kind in _WIDTH_UNITS.items() if kind == block.get("widthType")), "?"
        )
        parts.append(f"{block['width']}{unit}")
    if "width" in attrs:
        parts.append(f"{attrs['width']}x{attrs.get('height')}")
    return f"{{{' '.join(parts)}}}" if parts else ""


def _is_plain(words: object) -> bool:
    return (
        isinstance(words, str)
        and words == words.strip() != ""
        and words.isprintable()
        and not any(sign in words for sign in "\\<>&|")
        and "://" not in words
    )


_PICTURE = re.compile(
    r"""\\.|(?P<alt>!\[(?:\\.|[^\]\\\n]){0,300}\])
    \((?:<(?P<angled>(?:\\.|[^<>\\\n]){1,1000})>
    |(?P<plain>(?:\\\S|[^\s()<>\\]|\([^\s()<>]{0,300}\)){1,1000}))\)""",
    re.VERBOSE,
)
#: An address of a place on the web, or in the text itself.
_NONLOCAL_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:|//|\#", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _LocalPicture:
    """A picture whose address is the path of a file.

    Attributes:
        address: The path, without the backslashes that Markdown has before signs.
        line_index: The index of its line.
        picture_start_in_line: The index of its first character in the line.
        address_start_in_line: The index where its address begins, with the angle brackets around it.
        address_end_in_line: The index where its address ends.
    """

    address: str
    line_index: int
    picture_start_in_line: int
    address_start_in_line: int
    address_end_in_line: int


def lone_local_picture_addresses(markdown: str) -> tuple[str, ...]:
    """Return the addresses of the pictures of files on disk that stand alone in their paragraphs."""
    return tuple(picture.address for picture in _find_pictures_alone(markdown))


def with_pictures_as_attachments(markdown: str, names: Mapping[str, str]) -> str:
    """Return Markdown in which pictures of files on disk show attachments.

    Args:
        markdown: The Markdown.
        names: The name of the attachment for each file, by its address in the Markdown.
    """
    alone = _find_pictures_alone(markdown) if names else []
    name_by_picture = {one: names[one.address] for one in alone if one.address in names}
    return _with_attachment_addresses(markdown, name_by_picture)


def with_pictures_as_text(markdown: str, addresses: Collection[str]) -> str:
    """Return Markdown in which pictures of files on disk are plain text.

    Args:
        markdown: The Markdown.
        addresses: The addresses of these files in the Markdown.
    """
    lines = markdown.split("\n")
    for picture in reversed(_find_pictures_alone(markdown) if addresses else []):
        if picture.address in addresses:
            line, at = lines[picture.line_index], picture.picture_start_in_line
            lines[picture.line_index] = f"{line[:at]}!\\{line[at + 1 :]}"
    return "\n".join(lines)


def _find_pictures_alone(markdown: str) -> list[_LocalPicture]:
    """Return the pictures that stand alone in their paragraphs, as the converted text shows."""
    if "![" not in markdown or is_surely_too_long(markdown):
        return []
    pictures = list(_find_local_pictures(markdown))
    if not pictures:
        return []
    marks = {picture: f"ticketr-picture-{number}" for number, picture in enumerate(pictures)}
    marked = _with_attachment_addresses(markdown, marks)
    shown = pictured_files(to_adf(marked, media_ids=NAMES_AS_MEDIA_IDS))
    alone = {file.media_id.removeprefix(ATTACHMENT_SCHEME) for file in shown}
    return [picture for picture in pictures if marks[picture] in alone]


def _find_local_pictures(markdown: str) -> Iterator[_LocalPicture]:
    for number, line in enumerate(blank_code_keeping_lines(markdown).split("\n")):
        for match in _PICTURE.finditer(line):
            address = match["angled"] or match["plain"]
            if address and not _NONLOCAL_ADDRESS.match(address):
                path, (start, end) = without_escapes(address), match.span()
                yield _LocalPicture(path, number, start, match.end("alt") + 1, end - 1)


def _with_attachment_addresses(markdown: str, names: dict[_LocalPicture, str]) -> str:
    lines = markdown.split("\n")
    for picture, name in reversed(names.items()):
        line = lines[picture.line_index]
        before, after = line[: picture.address_start_in_line], line[picture.address_end_in_line :]
        lines[picture.line_index] = f"{before}{markdown_attachment_address(name)}{after}"
    return "\n".join(lines)
