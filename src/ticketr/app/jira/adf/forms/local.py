"""Pictures of files on disk, ``![alt](shot.png)``: finds them, and names attachments instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from ticketr.app.jira.adf._canonical import Json
from ticketr.app.jira.adf._tables import blank_code
from ticketr.app.jira.adf.forms.files import ATTACHED, address_of, shown_files, without_escapes

_PICTURE = re.compile(
    r"""\\.|(?P<alt>!\[(?:\\.|[^\]\\\n]){0,300}\])
    \((?:<(?P<angled>(?:\\.|[^<>\\\n]){1,1000})>
    |(?P<plain>(?:\\\S|[^\s()<>\\]|\([^\s()<>]{0,300}\)){1,1000}))\)""",
    re.VERBOSE,
)
#: An address of a place on the web, or in the text itself.
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|\#", re.IGNORECASE)
_MARKER_NAME = "ticketr-picture-"


@dataclass(frozen=True, slots=True)
class LocalPicture:
    """A picture whose address is the path of a file.

    Attributes:
        address: The path, without the backslashes that Markdown has before signs.
        line: Its line, from 1 on.
    """

    address: str
    line: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a picture is in its line.

    Attributes:
        picture: The picture.
        alt: The index of its first character.
        start: The index where its address begins, with the angle brackets around it.
        end: The index where its address ends.
    """

    picture: LocalPicture
    alt: int
    start: int
    end: int


def local_pictures(markdown: str, read: Callable[[str], Json]) -> tuple[LocalPicture, ...]:
    """Return the pictures of files that stand alone in their paragraphs.

    Args:
        markdown: The Markdown.
        read: Converts Markdown to a document in which attachments have names.
    """
    return tuple(place.picture for place in _pictures_alone(markdown, read))


def with_attachments(markdown: str, names: Mapping[str, str], read: Callable[[str], Json]) -> str:
    """Return Markdown in which pictures show attachments instead of files.

    Args:
        markdown: The Markdown.
        names: The name of the attachment for each file, by its address.
        read: See `local_pictures`.
    """
    pictures = _pictures_alone(markdown, read)
    places = [place for place in pictures if place.picture.address in names]
    return _with_addresses(markdown, places, lambda place: address_of(names[place.picture.address]))


def without_pictures(markdown: str, addresses: Collection[str], read: Callable[[str], Json]) -> str:
    """Return Markdown in which some pictures of files are plain text.

    Args:
        markdown: The Markdown.
        addresses: The addresses of the files.
        read: See `local_pictures`.
    """
    lines = markdown.split("\n")
    for place in reversed(_pictures_alone(markdown, read)):
        if place.picture.address in addresses:
            line = lines[place.picture.line - 1]
            lines[place.picture.line - 1] = f"{line[: place.alt]}!\\{line[place.alt + 1 :]}"
    return "\n".join(lines)


def _pictures_alone(markdown: str, read: Callable[[str], Json]) -> list[_Place]:
    """Return the pictures that stand alone in their paragraphs, as the converted text shows."""
    if "](" not in markdown:
        return []
    places = list(_pictures(markdown))
    if not places:
        return []
    marks = {place: f"{_MARKER_NAME}{number}" for number, place in enumerate(places)}
    shown = shown_files(
        read(_with_addresses(markdown, places, lambda place: address_of(marks[place])))
    )
    alone = {file.media.removeprefix(ATTACHED) for file in shown}
    return [place for place in places if marks[place] in alone]


def _pictures(markdown: str) -> Iterator[_Place]:
    for number, line in enumerate(blank_code(markdown).split("\n"), start=1):
        for match in _PICTURE.finditer(line):
            address = match["angled"] or match["plain"]
            if address and not _ELSEWHERE.match(address):
                start, end = match.end("alt") + 1, match.end() - 1
                picture = LocalPicture(without_escapes(address), number)
                yield _Place(picture, match.start("alt"), start, end)


def _with_addresses(markdown: str, places: list[_Place], address: Callable[[_Place], str]) -> str:
    lines = markdown.split("\n")
    for place in reversed(places):
        at = place.picture.line - 1
        lines[at] = f"{lines[at][: place.start]}{address(place)}{lines[at][place.end :]}"
    return "\n".join(lines)
