"""The nodes of the Atlassian Document Format: a table, and nothing that runs.

It is written by hand from what Atlassian documents, and a test holds it against the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ticketr.sandbox.api.adf_checks import (
    MARKS,
    Attrs,
    Kind,
    are_numbers,
    is_anything,
    is_flag,
    is_source,
    is_text,
    is_word,
    like,
    number,
    one_of,
    sets,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.sandbox.api.adf_checks import Check, Marks

_ID: Final[Mapping[str, Check]] = {"localId": is_text}
_ONLY_ID: Final = (Attrs({}, _ID),)
_LAYOUT: Final = one_of("wide full-width center wrap-right wrap-left align-end align-start")
_VALIGN: Final = one_of("top middle bottom")

_EXTENSION: Final = sets("dataConsumer fragment")
_BARE: Final = sets("")
_SMALL: Final = sets("fontSize")
_SHIFTED: Final = sets("fontSize alignment", "fontSize indentation")
_HEADED: Final = sets("alignment", "indentation")
_MEDIA_MARKS: Final = sets("dataConsumer link annotation border")
_TEXT_MARKS: Final = sets(
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
_MEDIA: Final[Mapping[str, Marks]] = {"mediaSingle": sets("link"), "mediaGroup": None}
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
    "table": sets("fragment"),
}
_CELL: Final[Mapping[str, Marks]] = {
    **_LEAVES,
    **_CARDS,
    "paragraph": sets("fontSize alignment"),
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
_WIDE: Final = sets("breakout")
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

_EXTENDING: Final = {"extensionKey": is_word, "extensionType": is_word}
_EXTENDED: Final[Mapping[str, Check]] = {
    "parameters": is_anything,
    "text": is_text,
    "localId": is_word,
}
_EXTENSION_ATTRS: Final = (
    Attrs(_EXTENDING, {**_EXTENDED, "layout": one_of("wide full-width default")}),
)
_CELL_ATTRS: Final = (
    Attrs(
        {},
        {
            **_ID,
            "colspan": number(),
            "rowspan": number(),
            "colwidth": are_numbers,
            "background": is_text,
            "valign": _VALIGN,
        },
    ),
)
_URL: Final = Attrs({"url": is_text}, _ID)
_DATA: Final = Attrs({"data": is_anything}, _ID)
_FILE: Final[Mapping[str, Check]] = {
    **_ID,
    "alt": is_text,
    "height": number(),
    "width": number(),
}
_STATES: Final = {"localId": is_text, "state": one_of("TODO DONE")}
_SYNC: Final = (Attrs({"resourceId": is_text, "localId": is_text}),)
_EXPAND_ATTRS: Final = (Attrs({}, {**_ID, "title": is_text}),)
_NESTED: Final[Mapping[str, Marks]] = {
    **_LEAVES,
    "paragraph": _SMALL,
    "panel": None,
    "blockquote": None,
}

KINDS: Final[Mapping[str, Kind]] = {
    "hardBreak": Kind((Attrs({}, {**_ID, "text": lambda value: value == "\n"}),), free=True),
    "date": Kind((Attrs({"timestamp": is_word}, _ID),)),
    "emoji": Kind((Attrs({"shortName": is_text}, {**_ID, "id": is_text, "text": is_text}),)),
    "inlineCard": Kind((_URL, _DATA)),
    "mention": Kind(
        (
            Attrs(
                {"id": is_text},
                {
                    **_ID,
                    "text": is_text,
                    "accessLevel": is_text,
                    "userType": one_of("DEFAULT SPECIAL APP"),
                },
            ),
        )
    ),
    "placeholder": Kind((Attrs({"text": is_text}, _ID),)),
    "status": Kind(
        (
            Attrs(
                {
                    "text": is_word,
                    "color": like("^(neutral|purple|blue|red|yellow|green|#[0-9a-fA-F]{6})$"),
                },
                {**_ID, "style": is_text},
            ),
        )
    ),
    "inlineExtension": Kind((Attrs(_EXTENDING, _EXTENDED),)),
    "mediaInline": Kind(
        (
            Attrs(
                {"id": is_word, "collection": is_text},
                {
                    **_FILE,
                    "type": one_of("link file image"),
                    "occurrenceKey": is_word,
                    "data": is_anything,
                },
            ),
        )
    ),
    "paragraph": Kind(_ONLY_ID, _INLINE, free=True),
    "heading": Kind((Attrs({"level": number(1, 6)}, _ID),), _INLINE),
    "bulletList": Kind(_ONLY_ID, {"listItem": None}, 1, free=True),
    "orderedList": Kind(
        (Attrs({}, {**_ID, "order": number(0)}),), {"listItem": None}, 1, free=True
    ),
    "listItem": Kind(
        _ONLY_ID,
        {
            **_LISTS,
            **_CODE,
            "paragraph": _SMALL,
            "taskList": None,
            "mediaSingle": sets("link"),
            "extension": _EXTENSION,
        },
        1,
        free=True,
    ),
    "taskList": Kind(
        (Attrs({"localId": is_text}),),
        dict.fromkeys(("taskItem", "taskList", "blockTaskItem")),
        1,
    ),
    "taskItem": Kind((Attrs(_STATES),), _INLINE),
    "blockTaskItem": Kind((Attrs(_STATES),), {"paragraph": _SMALL, "extension": _EXTENSION}, 1),
    "decisionList": Kind((Attrs({"localId": is_text}),), {"decisionItem": None}, 1),
    "decisionItem": Kind((Attrs({"localId": is_text, "state": is_text}),), _INLINE),
    "codeBlock": Kind(
        (
            Attrs(
                {},
                {
                    **_ID,
                    "language": is_text,
                    "uniqueId": is_text,
                    "wrap": is_flag,
                    "hideLineNumbers": is_flag,
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
                {"panelType": one_of("info note tip warning error success custom")},
                {
                    **_ID,
                    "panelIcon": is_text,
                    "panelIconId": is_text,
                    "panelIconText": is_text,
                    "panelColor": is_text,
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
                    "displayMode": one_of("default fixed"),
                    "isNumberColumnEnabled": is_flag,
                    "layout": one_of("wide full-width center align-end align-start default"),
                    "localId": is_word,
                    "width": number(),
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
                {**_ID, "width": number(0, 100), "widthType": one_of("percentage")},
            ),
            Attrs({"width": number(0), "widthType": one_of("pixel"), "layout": _LAYOUT}, _ID),
        ),
        {"media": _MEDIA_MARKS, "caption": None},
        1,
        2,
        free=True,
    ),
    "media": Kind(
        (
            Attrs(
                {"type": one_of("link file"), "id": is_word, "collection": is_text},
                {**_FILE, "occurrenceKey": is_word},
            ),
            Attrs({"type": one_of("external"), "url": is_text}, _FILE),
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
                {"datasource": is_source},
                {**_ID, "url": is_text, "width": number(), "layout": _LAYOUT},
            ),
            _URL,
            _DATA,
        )
    ),
    "embedCard": Kind(
        (
            Attrs(
                {"url": is_text, "layout": _LAYOUT},
                {
                    **_ID,
                    "width": number(0, 100),
                    "originalHeight": number(),
                    "originalWidth": number(),
                },
            ),
        )
    ),
    "extension": Kind(_EXTENSION_ATTRS),
    "bodiedExtension": Kind(_EXTENSION_ATTRS, _INNER, 1),
    "layoutSection": Kind(_ONLY_ID, {"layoutColumn": None}, 2, 3, free=True),
    "layoutColumn": Kind(
        (Attrs({"width": number(0, 100)}, {**_ID, "valign": _VALIGN}),), _BLOCKS, 1
    ),
    "syncBlock": Kind(_SYNC),
    "bodiedSyncBlock": Kind(_SYNC, _SYNCED, 1),
}
"""Every node but the document itself and text."""

DOCUMENT: Final = _DOCUMENT
"""What a document may hold."""
