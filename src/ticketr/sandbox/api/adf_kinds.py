"""The nodes and marks of the Atlassian Document Format: a table, and nothing that runs.

It is written by hand from what Atlassian documents, and a test holds it against the schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Check = Callable[[Any], bool]
Marks = tuple[frozenset[str], ...] | None
"""Which marks a node may have in a place: any of some sets, or no list of marks at all."""


@dataclass(frozen=True, slots=True)
class Attrs:
    """The attributes of a node or mark."""

    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a node of one type looks like.

    Attributes:
        attrs: What its attributes may be, any one of these; it has none if this is empty.
        content: The types of its children and their marks; None if it has no children.
        least: How many children it needs.
        most: How many it can have.
        free: Whether the attributes may be missing.
        listed: Whether the list of children must be there, though it may be empty.
    """

    attrs: tuple[Attrs, ...] = ()
    content: Mapping[str, Marks] | None = None
    least: int = 0
    most: int = 1_000_000
    free: bool = False
    listed: bool = False


def _any(_: Any) -> bool:
    return True


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _word(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(low: float = float("-inf"), high: float = float("inf")) -> Check:
    return lambda value: (
        isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    )


def _one_of(words: str) -> Check:
    known = frozenset(words.split())
    return lambda value: isinstance(value, str) and value in known


def _like(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.search(pattern, value) is not None


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_number(), value))


def _words(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(map(_text, value))


def _source(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"id", "parameters", "views"}


def _sets(*marks: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(some.split()) for some in marks)


_ID: Final[Mapping[str, Check]] = {"localId": _text}
_ONLY_ID: Final = (Attrs({}, _ID),)
_LAYOUT: Final = _one_of("wide full-width center wrap-right wrap-left align-end align-start")
_COLOR: Final = _like("^#[0-9a-fA-F]{6}$")
_VALIGN: Final = _one_of("top middle bottom")

_EXTENSION: Final = _sets("dataConsumer fragment")
_BARE: Final = _sets("")
_SMALL: Final = _sets("fontSize")
_SHIFTED: Final = _sets("fontSize alignment", "fontSize indentation")
_HEADED: Final = _sets("alignment", "indentation")
_MEDIA_MARKS: Final = _sets("dataConsumer link annotation border")
MARKS: Final[Mapping[str, Attrs | None]] = {
    **dict.fromkeys(("strong", "em", "strike", "underline", "code")),
    "link": Attrs(
        {"href": _text},
        {"title": _text, "id": _text, "collection": _text, "occurrenceKey": _text},
    ),
    "subsup": Attrs({"type": _one_of("sub sup")}),
    "textColor": Attrs({"color": _COLOR}),
    "backgroundColor": Attrs({"color": _COLOR}),
    "annotation": Attrs({"id": _text, "annotationType": _one_of("inlineComment")}),
    "alignment": Attrs({"align": _one_of("center end")}),
    "indentation": Attrs({"level": _number(1, 6)}),
    "fontSize": Attrs({"fontSize": _one_of("small")}),
    "breakout": Attrs({"mode": _one_of("wide full-width")}, {"width": _number()}),
    "border": Attrs({"size": _number(1, 3), "color": _like("^#[0-9a-fA-F]{8}$|^#[0-9a-fA-F]{6}$")}),
    "dataConsumer": Attrs({"sources": _words}),
    "fragment": Attrs({"localId": _word}, {"name": _text}),
}
"""Every mark; None for those without attributes."""

_TEXT_MARKS: Final = _sets(
    "link em strong strike subsup underline textColor annotation backgroundColor",
    "code link annotation",
)
_INLINE: Final[Mapping[str, Marks]] = {
    "text": _TEXT_MARKS,
    **dict.fromkeys(("date", "emoji", "hardBreak", "inlineCard", "mention")),
    **dict.fromkeys(("placeholder", "status")),
    "inlineExtension": _EXTENSION,
    "mediaInline": _MEDIA_MARKS,
}
_LISTS: Final[Mapping[str, Marks]] = dict.fromkeys(("bulletList", "orderedList"))
_CHECKS: Final[Mapping[str, Marks]] = dict.fromkeys(("taskList", "decisionList"))
_MEDIA: Final[Mapping[str, Marks]] = {"mediaSingle": _sets("link"), "mediaGroup": None}
_CARDS: Final[Mapping[str, Marks]] = dict.fromkeys(("blockCard", "embedCard"))
_CODE: Final[Mapping[str, Marks]] = {"codeBlock": _BARE}
_LEAVES: Final[Mapping[str, Marks]] = {
    **_LISTS,
    **_CHECKS,
    **_MEDIA,
    **_CODE,
    "rule": None,
    "heading": _BARE,
    "extension": _EXTENSION,
}
_INNER: Final[Mapping[str, Marks]] = {
    **_LEAVES,
    **_CARDS,
    "paragraph": _SMALL,
    "panel": None,
    "blockquote": None,
    "table": _sets("fragment"),
}
_CELL: Final[Mapping[str, Marks]] = {
    **_LEAVES,
    **_CARDS,
    "paragraph": _sets("fontSize alignment"),
    "heading": _HEADED,
    "panel": None,
    "blockquote": None,
    "nestedExpand": _BARE,
}
_BLOCKS: Final[Mapping[str, Marks]] = {
    **_INNER,
    "paragraph": _SHIFTED,
    "heading": _HEADED,
    "expand": _BARE,
    "bodiedExtension": _EXTENSION,
}
_WIDE: Final = _sets("breakout")
_SYNCED: Final[Mapping[str, Marks]] = {
    **{kind: marks for kind, marks in _BLOCKS.items() if "xtension" not in kind},
    "layoutSection": _WIDE,
    **dict.fromkeys(("paragraph", "heading"), (frozenset(MARKS),)),
}
_DOCUMENT: Final[Mapping[str, Marks]] = {
    **_BLOCKS,
    **dict.fromkeys(
        ("codeBlock", "expand", "layoutSection", "syncBlock", "bodiedSyncBlock"), _WIDE
    ),
}

_EXTENDING: Final = {"extensionKey": _word, "extensionType": _word}
_EXTENDED: Final[Mapping[str, Check]] = {"parameters": _any, "text": _text, "localId": _word}
_EXTENSION_ATTRS: Final = (
    Attrs(_EXTENDING, {**_EXTENDED, "layout": _one_of("wide full-width default")}),
)
_CELL_ATTRS: Final = (
    Attrs(
        {},
        {
            **_ID,
            "colspan": _number(),
            "rowspan": _number(),
            "colwidth": _numbers,
            "background": _text,
            "valign": _VALIGN,
        },
    ),
)
_URL: Final = Attrs({"url": _text}, _ID)
_DATA: Final = Attrs({"data": _any}, _ID)
_FILE: Final[Mapping[str, Check]] = {
    **_ID,
    "alt": _text,
    "height": _number(),
    "width": _number(),
}
_STATES: Final = {"localId": _text, "state": _one_of("TODO DONE")}
_SYNC: Final = (Attrs({"resourceId": _text, "localId": _text}),)
_EXPAND_ATTRS: Final = (Attrs({}, {**_ID, "title": _text}),)
_NESTED: Final[Mapping[str, Marks]] = {
    **_LEAVES,
    "paragraph": _SMALL,
    "panel": None,
    "blockquote": None,
}

KINDS: Final[Mapping[str, Kind]] = {
    "hardBreak": Kind((Attrs({}, {**_ID, "text": lambda value: value == "\n"}),), free=True),
    "date": Kind((Attrs({"timestamp": _word}, _ID),)),
    "emoji": Kind((Attrs({"shortName": _text}, {**_ID, "id": _text, "text": _text}),)),
    "inlineCard": Kind((_URL, _DATA)),
    "mention": Kind(
        (
            Attrs(
                {"id": _text},
                {
                    **_ID,
                    "text": _text,
                    "accessLevel": _text,
                    "userType": _one_of("DEFAULT SPECIAL APP"),
                },
            ),
        )
    ),
    "placeholder": Kind((Attrs({"text": _text}, _ID),)),
    "status": Kind(
        (
            Attrs(
                {
                    "text": _word,
                    "color": _like("^(neutral|purple|blue|red|yellow|green|#[0-9a-fA-F]{6})$"),
                },
                {**_ID, "style": _text},
            ),
        )
    ),
    "inlineExtension": Kind((Attrs(_EXTENDING, _EXTENDED),)),
    "mediaInline": Kind(
        (
            Attrs(
                {"id": _word, "collection": _text},
                {
                    **_FILE,
                    "type": _one_of("link file image"),
                    "occurrenceKey": _word,
                    "data": _any,
                },
            ),
        )
    ),
    "paragraph": Kind(_ONLY_ID, _INLINE, free=True),
    "heading": Kind((Attrs({"level": _number(1, 6)}, _ID),), _INLINE),
    "bulletList": Kind(_ONLY_ID, {"listItem": None}, 1, free=True),
    "orderedList": Kind(
        (Attrs({}, {**_ID, "order": _number(0)}),), {"listItem": None}, 1, free=True
    ),
    "listItem": Kind(
        _ONLY_ID,
        {
            **_LISTS,
            **_CODE,
            "paragraph": _SMALL,
            "taskList": None,
            "mediaSingle": _sets("link"),
            "extension": _EXTENSION,
        },
        1,
        free=True,
    ),
    "taskList": Kind(
        (Attrs({"localId": _text}),),
        dict.fromkeys(("taskItem", "taskList", "blockTaskItem")),
        1,
    ),
    "taskItem": Kind((Attrs(_STATES),), _INLINE),
    "blockTaskItem": Kind((Attrs(_STATES),), {"paragraph": _SMALL, "extension": _EXTENSION}, 1),
    "decisionList": Kind((Attrs({"localId": _text}),), {"decisionItem": None}, 1),
    "decisionItem": Kind((Attrs({"localId": _text, "state": _text}),), _INLINE),
    "codeBlock": Kind(
        (
            Attrs(
                {},
                {
                    **_ID,
                    "language": _text,
                    "uniqueId": _text,
                    "wrap": _flag,
                    "hideLineNumbers": _flag,
                },
            ),
        ),
        {"text": _BARE},
        free=True,
    ),
    "blockquote": Kind(
        _ONLY_ID,
        {**_LISTS, **_MEDIA, **_CODE, "paragraph": _BARE, "extension": _EXTENSION},
        1,
        free=True,
    ),
    "panel": Kind(
        (
            Attrs(
                {"panelType": _one_of("info note tip warning error success custom")},
                {
                    **_ID,
                    "panelIcon": _text,
                    "panelIconId": _text,
                    "panelIconText": _text,
                    "panelColor": _text,
                },
            ),
        ),
        {**_LEAVES, "paragraph": _SMALL, "blockCard": None},
        1,
    ),
    "expand": Kind(_EXPAND_ATTRS, {**_INNER, "nestedExpand": _BARE}, 1, free=True),
    "nestedExpand": Kind(_EXPAND_ATTRS, _NESTED, 1),
    "rule": Kind(_ONLY_ID, free=True),
    "table": Kind(
        (
            Attrs(
                {},
                {
                    "displayMode": _one_of("default fixed"),
                    "isNumberColumnEnabled": _flag,
                    "layout": _one_of("wide full-width center align-end align-start default"),
                    "localId": _word,
                    "width": _number(),
                },
            ),
        ),
        {"tableRow": None},
        1,
        free=True,
    ),
    "tableRow": Kind(_ONLY_ID, dict.fromkeys(("tableCell", "tableHeader")), free=True, listed=True),
    "tableCell": Kind(_CELL_ATTRS, _CELL, 1, free=True),
    "tableHeader": Kind(_CELL_ATTRS, _CELL, 1, free=True),
    "mediaGroup": Kind((), {"media": _MEDIA_MARKS}, 1),
    "mediaSingle": Kind(
        (
            Attrs(
                {"layout": _LAYOUT},
                {**_ID, "width": _number(0, 100), "widthType": _one_of("percentage")},
            ),
            Attrs({"width": _number(0), "widthType": _one_of("pixel"), "layout": _LAYOUT}, _ID),
        ),
        {"media": _MEDIA_MARKS, "caption": None},
        1,
        2,
        free=True,
    ),
    "media": Kind(
        (
            Attrs(
                {"type": _one_of("link file"), "id": _word, "collection": _text},
                {**_FILE, "occurrenceKey": _word},
            ),
            Attrs({"type": _one_of("external"), "url": _text}, _FILE),
        )
    ),
    "caption": Kind(
        _ONLY_ID,
        {kind: _INLINE[kind] for kind in _INLINE if kind not in {"inlineExtension", "mediaInline"}},
        free=True,
    ),
    "blockCard": Kind(
        (
            Attrs(
                {"datasource": _source},
                {**_ID, "url": _text, "width": _number(), "layout": _LAYOUT},
            ),
            _URL,
            _DATA,
        )
    ),
    "embedCard": Kind(
        (
            Attrs(
                {"url": _text, "layout": _LAYOUT},
                {
                    **_ID,
                    "width": _number(0, 100),
                    "originalHeight": _number(),
                    "originalWidth": _number(),
                },
            ),
        )
    ),
    "extension": Kind(_EXTENSION_ATTRS),
    "bodiedExtension": Kind(_EXTENSION_ATTRS, _INNER, 1),
    "layoutSection": Kind(_ONLY_ID, {"layoutColumn": None}, 2, 3, free=True),
    "layoutColumn": Kind(
        (Attrs({"width": _number(0, 100)}, {**_ID, "valign": _VALIGN}),), _BLOCKS, 1
    ),
    "syncBlock": Kind(_SYNC),
    "bodiedSyncBlock": Kind(_SYNC, _SYNCED, 1),
}
"""Every node but the document itself and text."""

DOCUMENT: Final = _DOCUMENT
"""What a document may hold."""
