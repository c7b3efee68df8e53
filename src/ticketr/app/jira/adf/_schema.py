"""The table of ADF's nodes and marks, and what each may hold.

`_grammar` describes its notation. Jira refuses a document that differs without saying where; the
table is tested to agree with Atlassian's own schema.
"""

from __future__ import annotations

from ticketr.app.jira.adf._grammar import AttributeRules, Node, node

_ID = "localId=text"
_LAYOUTS = "wide|full-width|center|wrap-right|wrap-left|align-end|align-start"
_TEXT = (
    "text(link em strong strike subsup underline textColor annotation backgroundColor"
    "|code link annotation)"
)
_EXTENSION = "extension(dataConsumer fragment)"
_MEDIA_MARKS = "(dataConsumer link annotation border)"
_CAPTION_CONTENT = f"{_TEXT} hardBreak mention emoji date placeholder inlineCard status"
_INLINE = f"{_CAPTION_CONTENT} inlineExtension(dataConsumer fragment) mediaInline{_MEDIA_MARKS}"

_LISTS = "bulletList orderedList"
_MEDIA = "mediaSingle(link) mediaGroup"
_PARAGRAPH = "paragraph(fontSize)"
# The blocks that a panel, a nested expand, a cell of a table and most other nodes may hold.
_BASIC_BLOCKS = f"{_LISTS} {_MEDIA} heading() codeBlock() taskList decisionList rule {_EXTENSION}"
_EXTENSION_CONTENT = (
    f"{_BASIC_BLOCKS} {_PARAGRAPH} panel blockquote table(fragment) blockCard embedCard"
)
_ALIGNED_HEADING = "heading(alignment|indentation)"
_ALIGNED_PARAGRAPH = "paragraph(fontSize alignment|fontSize indentation)"
_EXPAND_CONTENT = f"{_EXTENSION_CONTENT} nestedExpand"
_CELL_CONTENT = (
    f"{_BASIC_BLOCKS} {_ALIGNED_HEADING} paragraph(fontSize alignment) panel blockquote blockCard embedCard"
    " nestedExpand"
)
_BODIED_EXTENSION = "bodiedExtension(dataConsumer fragment)"
_BLOCKS = f"{_EXTENSION_CONTENT} {_ALIGNED_HEADING} {_ALIGNED_PARAGRAPH}"
_SYNC_BLOCK_ATTRS = "resourceId!=text localId!=text"
_CELL_ATTRS = (
    "colspan=number rowspan=number colwidth=numbers background=text valign=top|middle|bottom"
)
_EXTENSION_ATTRS = (
    "extensionKey!=nonempty extensionType!=nonempty parameters=any text=text localId=nonempty"
)
_CARD_ATTRS = ("url!=text localId=text", "data!=any localId=text")
_TASK_ATTRS = "localId!=text state!=TODO|DONE"  # ADF's words for the two states of a user's task
_FILE_ATTRS = (
    "id!=nonempty alt=text collection!=text occurrenceKey=nonempty width=number height=number"
)

#: Every node.
NODES: dict[str, Node] = {
    "doc": node(
        f"{_BLOCKS} {_BODIED_EXTENSION} codeBlock(breakout) expand(breakout) layoutSection(breakout)"
        " syncBlock(breakout) bodiedSyncBlock(breakout)",
        least=0,
    ),
    # Blocks of text
    "paragraph": node(_INLINE, _ID),
    "heading": node(_INLINE, f"level!=1..6 {_ID}"),
    "codeBlock": node(
        "text()", f"language=text uniqueId=text wrap=flag hideLineNumbers=flag {_ID}"
    ),
    "rule": node("", _ID),
    "blockquote": node(f"paragraph() {_LISTS} codeBlock() {_MEDIA} {_EXTENSION}", _ID, least=1),
    "panel": node(
        f"{_BASIC_BLOCKS} {_PARAGRAPH} blockCard",
        "panelType!=info|note|tip|warning|error|success|custom panelIcon=text panelIconId=text"
        f" panelIconText=text panelColor=text {_ID}",
        least=1,
    ),
    "expand": node(_EXPAND_CONTENT, f"title=text {_ID}", least=1),
    "nestedExpand": node(
        f"{_BASIC_BLOCKS} {_PARAGRAPH} panel blockquote", f"title=text {_ID}", least=1, bare=False
    ),
    # Lists
    "bulletList": node("listItem", _ID, least=1),
    "orderedList": node("listItem", f"order=0.. {_ID}", least=1),
    "listItem": node(
        f"{_PARAGRAPH} {_LISTS} taskList mediaSingle(link) codeBlock() {_EXTENSION}", _ID, least=1
    ),
    "taskList": node("taskItem taskList blockTaskItem", "localId!=text", least=1),
    "taskItem": node(_INLINE, _TASK_ATTRS),
    "blockTaskItem": node(f"{_PARAGRAPH} {_EXTENSION}", _TASK_ATTRS, least=1),
    "decisionList": node("decisionItem", "localId!=text", least=1),
    "decisionItem": node(_INLINE, "localId!=text state!=text"),
    # Tables and columns
    "table": node(
        "tableRow",
        "displayMode=default|fixed isNumberColumnEnabled=flag localId=nonempty width=number"
        " layout=wide|full-width|center|align-end|align-start|default",
        least=1,
    ),
    "tableRow": node("tableCell tableHeader", _ID, least=0),
    "tableCell": node(_CELL_CONTENT, f"{_CELL_ATTRS} {_ID}", least=1),
    "tableHeader": node(_CELL_CONTENT, f"{_CELL_ATTRS} {_ID}", least=1),
    "layoutSection": node("layoutColumn", _ID, least=2, most=3),
    "layoutColumn": node(
        f"{_BLOCKS} {_BODIED_EXTENSION} expand()",
        f"width!=0..100 valign=top|middle|bottom {_ID}",
        least=1,
    ),
    # Files, cards and what apps add
    "mediaSingle": node(
        f"media{_MEDIA_MARKS} caption",
        f"layout!={_LAYOUTS} width=0..100 widthType=percentage {_ID}",
        f"layout!={_LAYOUTS} width!=0.. widthType!=pixel {_ID}",
        least=1,
        most=2,
        ordered=True,
        bare=True,
    ),
    "mediaGroup": node(f"media{_MEDIA_MARKS}", least=1),
    "media": node(
        "",
        f"type!=link|file {_FILE_ATTRS} {_ID}",
        f"type!=external url!=text alt=text width=number height=number {_ID}",
    ),
    "mediaInline": node("", f"type=link|file|image data=any {_FILE_ATTRS} {_ID}"),
    "caption": node(_CAPTION_CONTENT, _ID),
    "blockCard": node(
        "", f"datasource!=source url=text width=number layout={_LAYOUTS} {_ID}", *_CARD_ATTRS
    ),
    "embedCard": node(
        "",
        f"url!=text layout!={_LAYOUTS} width=0..100 originalHeight=number originalWidth=number"
        f" {_ID}",
    ),
    "extension": node("", f"{_EXTENSION_ATTRS} layout=wide|full-width|default"),
    "bodiedExtension": node(
        _EXTENSION_CONTENT, f"{_EXTENSION_ATTRS} layout=wide|full-width|default", least=1
    ),
    "syncBlock": node("", _SYNC_BLOCK_ATTRS),
    "bodiedSyncBlock": node(
        f"{_LISTS} {_MEDIA} {_ALIGNED_HEADING} {_ALIGNED_PARAGRAPH} codeBlock() taskList decisionList rule panel"
        " blockquote table(fragment) blockCard embedCard expand() layoutSection(breakout)",
        _SYNC_BLOCK_ATTRS,
        least=1,
    ),
    # Inside a line
    "text": node(),
    "hardBreak": node("", f"text=newline {_ID}"),
    "mention": node("", f"id!=text text=text accessLevel=text userType=DEFAULT|SPECIAL|APP {_ID}"),
    "emoji": node("", f"shortName!=text id=text text=text {_ID}"),
    "date": node("", f"timestamp!=nonempty {_ID}"),
    "status": node("", f"text!=nonempty color!=status-color style=text {_ID}"),
    "placeholder": node("", f"text!=text {_ID}"),
    "inlineCard": node("", *_CARD_ATTRS),
    "inlineExtension": node("", _EXTENSION_ATTRS),
}
#: Every mark; None for one without attributes.
MARKS: dict[str, AttributeRules | None] = {
    **dict.fromkeys(("strong", "em", "strike", "underline", "code")),
    "link": AttributeRules.read("href!=text title=text id=text collection=text occurrenceKey=text"),
    "subsup": AttributeRules.read("type!=sub|sup"),
    "textColor": AttributeRules.read("color!=color"),
    "backgroundColor": AttributeRules.read("color!=color"),
    "annotation": AttributeRules.read("id!=text annotationType!=inlineComment"),
    "alignment": AttributeRules.read("align!=center|end"),
    "indentation": AttributeRules.read("level!=1..6"),
    "fontSize": AttributeRules.read("fontSize!=small"),
    "breakout": AttributeRules.read("mode!=wide|full-width width=number"),
    "border": AttributeRules.read("size!=1..3 color!=border-color"),
    "dataConsumer": AttributeRules.read("sources!=texts"),
    "fragment": AttributeRules.read("localId!=nonempty name=text"),
}
