"""Writes simple documents as Markdown that certainly reads back as the same document.

Most descriptions are paragraphs, headings, lists, tables, panels and code whose texts need no escape.
Their Markdown is what marklas and the short forms would write, at a small part of the cost, and need
not be read back. A document with anything else in it is not simple, nor is one with a sign that means
something where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

from ticketr._lazy import compile_on_use
from ticketr.app.emoji import emoji_named
from ticketr.app.jira.adf._blocks import (
    BULLET_AND_ORDERED_LISTS,
    EMPTY_PARAGRAPHS,
    PANEL_WORD_BY_KIND,
    BlockWriter,
    write_expand,
    write_panel,
    write_quote,
)
from ticketr.app.jira.adf._canonical import Json, content_of
from ticketr.app.jira.adf._plain import MAX_JIRA_CHARACTERS, marklas_cost

_BLOCK_KEYS = frozenset({"type", "attrs", "content"})
#: What a quote, a panel or an expand may hold.
_ALLOWED_INNER_KINDS = frozenset({*BULLET_AND_ORDERED_LISTS, "codeBlock", "heading", "paragraph"})
_CHECKBOX_BY_STATE = {"TODO": "[ ]", "DONE": "[x]"}
#: The attributes of tables that files leave to Jira.
_TABLE_SIZE_ATTRIBUTES = frozenset({"displayMode", "isNumberColumnEnabled", "layout", "width"})
#: The attributes of a cell that spans no other.
_DEFAULT_CELL_SPANS = {"colspan": 1, "rowspan": 1}
_HEADING_ATTRIBUTES: tuple[Json, ...] = tuple({"level": level} for level in range(1, 7))
#: The deepest indent in a simple list.
_MAX_LIST_INDENT = 20
#: How many characters of simple text are as much work as one that marklas converts.
SIMPLE_TEXT_SPEEDUP_FACTOR = 12
#: The signs around a text with a mark.
_SIGN_BY_MARK = {"strong": "**", "em": "*", "code": "`", "strike": "~~"}
#: The colors of a status.
STATUS_COLORS = ("neutral", "purple", "blue", "red", "yellow", "green")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000

# Letters, digits, or a sign without a meaning within a line: a colon that begins no emoji and no
# address, an ampersand that begins no entity, a number sign that closes no heading, and what is
# within a word or stands alone.
_LETTERS_OR_PLAIN_SIGN = (
    r"(?:[^\W_]++|[,;.?!'\"()/%$=+\u2013\u2014\u2018-\u201d\u2026\u2192\u20ac\xa3\xa7\xa9\xb0\xb1-]"
    r"|:(?=[ ]|\Z)|(?<=\d):(?=\d++(?!:))|&(?=[ ])|\#(?=[^\W_])|(?<=[^\W_])[_@](?=[^\W_])|[>|](?=[ ]))"
)
_PLAIN_TEXT = compile_on_use(rf"(?:[ ]?{_LETTERS_OR_PLAIN_SIGN})+[ ]?|[ ]")
#: How a line begins that is no item, heading, quote or rule.
_PLAIN_LINE_START = compile_on_use(r"(?!\d+[.)](?:[ ]|\Z))(?:[^\W_]|[\"'(](?=[^\W_]))")
#: A text with a mark. What a reader cannot see is not marked: the blank at its end.
_MARKED_TEXT_AND_END_BLANK = compile_on_use(
    rf"(?=[^\W_])(?!\d+\.\Z)(?P<text>(?:[ ]?{_LETTERS_OR_PLAIN_SIGN})*(?<=[\w.,:;?!]))(?P<blank>[ ]?)"
)
#: What a text may begin with right after a marked text or an emoji.
_ALLOWED_AFTER_MARK_OR_EMOJI: tuple[str, ...] = tuple(" .,;:?!)")
_SIMPLE_MENTION_TEXT = compile_on_use(r"@([^\W_]+(?:(?:\.?[ ]|['\u2019.-])[^\W_]+)*)")
_ACCOUNT_ID = compile_on_use(r"[0-9a-f]{6,40}(?::[0-9a-f-]{36})?")
_SIMPLE_WEB_ADDRESS = compile_on_use(
    r"https?://[a-z0-9]+(?:[.-][a-z0-9]+)*(?::\d+)?(?:/[A-Za-z0-9/?&=+,.~_-]*)?"
)
_CODE_LANGUAGE = compile_on_use(r"[a-z0-9]*")
_COLOR = compile_on_use(r"#[0-9a-f]{6}")
_EPOCH_MILLISECONDS = compile_on_use(r"0|-?[1-9][0-9]{0,14}")
_CODE_TEXT = compile_on_use(r"(?!\n)[\w \n()\[\]{}.,;:?!'\"=+*/%$@^\#<>&|\\-]+")


MarkdownOrNodes: TypeAlias = str | list[Any]


@dataclass(frozen=True, slots=True)
class MaybeLossyMarkdown:
    """Some blocks of a document, or all, as Markdown.

    Attributes:
        markdown: The Markdown; empty, or ending in one newline.
        is_lossless: Whether it says all that the blocks say.
    """

    markdown: str
    is_lossless: bool


def simple_markdown(document: object) -> str | None:
    """Return the Markdown of a simple document; None for any other.

    Args:
        document: A document as Jira sends it, in any shape.
    """
    match write_simple_blocks(document):
        case [str(markdown)] if len(markdown) < MAX_JIRA_CHARACTERS:
            return f"{markdown}\n" if markdown else ""
    return None


def write_simple_blocks(document: object) -> list[MarkdownOrNodes]:
    """Write the simple blocks of a document, and leave the others as they are.

    Args:
        document: A document as Jira sends it, in any shape.

    Returns:
        In turn the Markdown of blocks in a row that are simple, and a list of blocks that are not.
        Read together, they mean what each of them does.
    """
    if type(document) is not dict or document.get("type") != "doc":
        return []
    if not document.keys() <= {"type", "version", "content"} or document.get("version", 1) != 1:
        return []
    blocks = content_of(document)
    if not blocks and document.get("content", []) == []:
        return [""]
    are_lists = [type(node) is dict and str(node.get("type")).endswith("List") for node in blocks]
    parts: list[MarkdownOrNodes] = []
    for at, node in enumerate(blocks):
        # Two lists in a row would be one.
        is_beside_list = are_lists[at] and any(
            (*are_lists[at - 1 : at], *are_lists[at + 1 : at + 2])
        )
        try:
            text = "" if is_beside_list else _SIMPLE_WRITER.write_block(node, "doc")
        except _NotSimple:
            text = ""
        match parts:
            case [*_, str(before)] if text:
                parts[-1] = f"{before}\n\n{text}"
            case [*_, list(others)] if not text:
                others.append(node)
            case _:
                parts.append(text or [node])
    return parts


def conversion_cost(document: object, most: int) -> int:
    """Estimate the work of converting a document; a character that marklas converts is a work of 1.

    Args:
        document: Anything that JSON can hold.
        most: Where to stop counting; the result may be a little more.
    """
    most_characters = most * SIMPLE_TEXT_SPEEDUP_FACTOR
    if (size := marklas_cost(document, most_characters)) > most_characters:
        return size  # splitting it would take long
    total = 0
    for part in write_simple_blocks(document) or [[document]]:
        if isinstance(part, str):
            total += len(part) // SIMPLE_TEXT_SPEEDUP_FACTOR
        else:
            total += marklas_cost(part, most)
        if total > most:
            break
    return total


class _NotSimple(Exception):
    """Raised at a block that is not simple."""


class _SimpleWriter(BlockWriter):
    """Writes simple blocks alone, and raises `_NotSimple` at any other."""

    def write_block(self, node: Any, parent: str, *, short: bool = True, marker: str = "-") -> str:
        """Return the Markdown of a simple block."""
        kind, attrs, content = _parts_or_empty(node)
        if text := _flat_block_or_empty(kind, attrs, content):
            return text
        match kind:
            case "bulletList" | "orderedList":
                if lines := _list_or_empty(kind, attrs, content):
                    return "\n".join(lines)
            case "blockquote" if not attrs:
                return write_quote(self._write_inner_blocks(content, kind))
            case "panel" if attrs.keys() == {"panelType"} and attrs["panelType"] in [
                *PANEL_WORD_BY_KIND
            ]:
                return write_panel(
                    attrs["panelType"], content, self._write_inner_blocks(content, kind)
                )
            case "expand" if attrs.keys() <= {"title"} and _is_simple_title(attrs.get("title", "")):
                return write_expand(attrs.get("title", ""), self._write_inner_blocks(content, kind))
        raise _NotSimple

    def _write_inner_blocks(self, blocks: Sequence[Any], parent: str) -> str:
        """Return the blocks in a quote, a panel or an expand."""
        kinds = [_parts_or_empty(block)[0] for block in blocks]
        # Two lists in a row would be one.
        has_lists = any(
            kind in BULLET_AND_ORDERED_LISTS and after in BULLET_AND_ORDERED_LISTS
            for kind, after in pairwise(kinds)
        )
        # Jira takes no heading in a quote, so none is read there.
        has_heading = parent == "blockquote" and "heading" in kinds
        if not blocks or has_lists or has_heading or not set(kinds) <= _ALLOWED_INNER_KINDS:
            raise _NotSimple
        return self.write_blocks(blocks, parent)


_SIMPLE_WRITER = _SimpleWriter()


def simple_flat_block_or_empty(node: Any) -> str:
    """Return the Markdown of a simple block without blocks in it; empty for any other."""
    return _flat_block_or_empty(*_parts_or_empty(node))


def _flat_block_or_empty(kind: str, attrs: Json, content: Sequence[Any]) -> str:
    match kind:
        case "paragraph" if not attrs:
            return _line_or_empty(content)
        case "heading" if attrs in _HEADING_ATTRIBUTES:
            line = _line_or_empty(content)
            return f"{'#' * int(attrs['level'])} {line}" if line else ""
        case "codeBlock" if attrs.keys() <= {"language"}:
            return _code_block_or_empty(content, attrs.get("language", ""))
        case "rule" if not attrs and not content:
            return "---"
        case "taskList" if not attrs:
            return _tasks_or_empty(content)
        case "table" if attrs.keys() <= _TABLE_SIZE_ATTRIBUTES:
            return _table_or_empty(content)
    return ""


def _list_or_empty(kind: str, attrs: Json, items: Sequence[Any], indent: str = "") -> list[str]:
    """Return the lines of a list; none if an item is no paragraph with at most one list below it."""
    lines: list[str] = []
    # An ordered list may say that it begins at 1.
    if (attrs and (kind, attrs) != ("orderedList", {"order": 1})) or len(indent) > _MAX_LIST_INDENT:
        return []
    for number, item in enumerate(items, start=1):
        sign = "-" if kind == "bulletList" else f"{number}."
        item_kind, item_attrs, blocks = _parts_or_empty(item)
        first_kind, first_attrs, words = _parts_or_empty(blocks[0]) if blocks else ("", {}, [])
        line = _line_or_empty(words) if first_kind == "paragraph" and not first_attrs else ""
        if item_kind != "listItem" or item_attrs or not line or len(blocks) > 2:
            return []
        lines.append(f"{indent}{sign} {line}")
        if len(blocks) == 2:
            below = _parts_or_empty(blocks[1])
            deeper = f"{indent}{' ' * (len(sign) + 1)}"
            nested = _list_or_empty(*below, deeper) if below[0] in BULLET_AND_ORDERED_LISTS else []
            if not nested:
                return []
            lines += nested
    return lines


def _is_simple_title(title: object) -> bool:
    if type(title) is not str or title != title.strip() or "&" in title:
        return False
    return not title or _PLAIN_TEXT.fullmatch(title) is not None


def _tasks_or_empty(items: Sequence[Any]) -> str:
    lines: list[str] = []
    for item in items:
        match _parts_or_empty(item):
            case "taskItem", {"state": "TODO" | "DONE" as state, **rest}, content if not rest:
                line = _line_or_empty(content)
                lines.append(f"- {_CHECKBOX_BY_STATE[state]} {line}" if line else "")
            case _:
                return ""
    return "\n".join(lines) if all(lines) else ""


def _table_or_empty(rows: Sequence[Any]) -> str:
    """Return a table with names of columns in its first row, and only there."""
    head, *body = [
        _cells_or_empty_list(row, "tableCell" if number else "tableHeader")
        for number, row in enumerate(rows)
    ] or [[]]
    if not head or not body or not all(head) or any(len(cells) != len(head) for cells in body):
        return ""
    lines = (head, ["---"] * len(head), *body)
    return "\n".join([f"| {' | '.join(cells)} |" for cells in lines])


def _cells_or_empty_list(row: Any, kind: str) -> list[str]:
    """Return the texts of a row's cells; an empty list if one of them is not simple."""
    row_kind, row_attrs, cells = _parts_or_empty(row)
    texts: list[str] = []
    for cell in cells if row_kind == "tableRow" and not row_attrs else ():
        cell_kind, attrs, blocks = _parts_or_empty(cell)
        attrs.pop("colwidth", None)
        is_plain = all(_DEFAULT_CELL_SPANS.get(name) == value for name, value in attrs.items())
        if cell_kind != kind or len(blocks) != 1 or not is_plain:
            return []
        block_kind, block_attrs, line = _parts_or_empty(blocks[0])
        text = _line_or_empty(line) if block_kind == "paragraph" and not block_attrs else ""
        if "|" in text or (not text and blocks[0] not in EMPTY_PARAGRAPHS):
            return []
        texts.append(text)
    return texts


def _code_block_or_empty(content: Sequence[Any], language: object) -> str:
    match content:
        case [{"type": "text", "text": str(text), **rest}] if not rest and _CODE_TEXT.fullmatch(
            text
        ):
            is_simple = type(language) is str and _CODE_LANGUAGE.fullmatch(language)
            return f"```{language}\n{text}\n```" if is_simple else ""
    return ""


def _line_or_empty(content: Sequence[Any]) -> str:
    """Return the texts, mentions and breaks of a line; empty if one of them is not simple."""
    line, last = "", "hardBreak"
    for child in content:
        kind, text = _inline_kind_and_markdown_or_empty(child)
        match last, kind:  # a break is before the first part, too
            case "hardBreak", "text":
                can_follow = _PLAIN_LINE_START.match(text) is not None
            case ("hardBreak", "marked" | "emoji") | ("text", "tagged") | ("tagged", "text"):
                can_follow = True
            case _, "hardBreak":
                can_follow = last != "hardBreak" and not line.endswith(" ")
            case "marked", "text":
                can_follow = text.startswith(_ALLOWED_AFTER_MARK_OR_EMOJI) != line.endswith(" ")
            case "emoji", "text":
                can_follow = text.startswith(_ALLOWED_AFTER_MARK_OR_EMOJI) and text[0] != ":"
            case "text" | "marked", "marked" | "emoji":
                can_follow = line.endswith(" ")
            case _:
                can_follow = False
        if not text or not can_follow:
            return ""
        line, last = line + text, kind
    return "" if last == "hardBreak" or line.endswith(" ") else line


def _inline_kind_and_markdown_or_empty(node: Any) -> tuple[str, str]:
    """Return what kind of part of a line a node is, and its Markdown; an empty one if it is not simple."""
    if type(node) is dict and len(node) == 2 and type(text := node.get("text")) is str:
        return "text", text if node.get("type") == "text" and _PLAIN_TEXT.fullmatch(text) else ""
    match node:
        case {
            "type": "text",
            "text": str(text),
            "marks": [{"type": "underline" | "subsup" | "textColor"} as mark],
            **rest,
        } if not rest:
            return "tagged", _tagged_text_or_empty(text, mark)
        case {"type": "text", "text": str(text), "marks": [*marks], **rest} if not rest:
            return "marked", _simple_marked_text_or_empty(text, marks)
        case {"type": "inlineCard", "attrs": {"url": str(address), **more}, **rest}:
            is_simple = not rest and not more and _SIMPLE_WEB_ADDRESS.fullmatch(address)
            return "marked", f"<{address}>" if is_simple else ""
        case {"type": "mention", "attrs": {"id": str(account), "text": str(name), **more}, **rest}:
            more.pop("localId", None)
            if rest or more not in ({}, {"accessLevel": ""}):
                return "", ""
            is_simple = _SIMPLE_MENTION_TEXT.fullmatch(name) and _ACCOUNT_ID.fullmatch(account)
            return "marked", f"@[{name[1:]}]({account})" if is_simple else ""
        case {"type": "hardBreak", **rest} if not rest or rest == {"attrs": {"text": "\n"}}:
            return "hardBreak", "<br>"
        case {"type": "status", "attrs": {"text": str(label), "color": str(color), **more}, **rest}:
            more.pop("localId", None)
            code = (
                ""
                if rest or more or color not in STATUS_COLORS
                else _simple_marked_text_or_empty(label, [{"type": "code"}])
            )
            return "marked", f"{code}{{{color}}}" if code else ""
        case {"type": "date", "attrs": {"timestamp": str(stamp), **more}, **rest}:
            day = None if rest or more else day_beginning_at(stamp)
            return "marked", f"{{{day}}}" if day else ""
        case {"type": "emoji", "attrs": {"shortName": str(name), **more}, **rest} if not rest:
            is_known = emoji_named(name[1:-1]) == {"shortName": name, **more}
            return "emoji", name if is_known else ""
    return "", ""


def day_beginning_at(stamp: str) -> str | None:
    """Return the day at whose begin a timestamp of a date is; None for any other."""
    if not _EPOCH_MILLISECONDS.fullmatch(stamp) or int(stamp) % _DAY_MS:
        return None
    try:
        return (_EPOCH + timedelta(milliseconds=int(stamp))).date().isoformat()
    except OverflowError:
        return None


def _tagged_text_or_empty(text: str, mark: Any) -> str:
    """Return a text in tags, which other texts may touch; empty if it is not simple."""
    match mark:
        case {"type": "underline"} if len(mark) == 1:
            tag = end = "u"
        case {"type": "subsup", "attrs": {"type": "sub" | "sup" as kind, **more}, **rest}:
            tag = end = "" if more or rest else str(kind)
        case {"type": "textColor", "attrs": {"color": str(color), **more}, **rest}:
            is_simple = not more and not rest and _COLOR.fullmatch(color)
            tag = f"""span adf="textColor" params='{{"color":"{color}"}}'""" if is_simple else ""
            end = "span"
        case _:
            return ""
    match = _MARKED_TEXT_AND_END_BLANK.fullmatch(text) if tag else None
    return f"<{tag}>{text}</{end}>" if match and not match["blank"] else ""


def _simple_marked_text_or_empty(text: str, marks: Sequence[Any]) -> str:
    """Return a text that is a link, or has one mark, or both; empty if that is not simple."""
    sign, address, match = "", "", _MARKED_TEXT_AND_END_BLANK.fullmatch(text)
    for mark in marks:
        match mark:
            case {"type": "link", "attrs": {"href": str(href), **more}, **rest}:
                if address or more or rest or not _SIMPLE_WEB_ADDRESS.fullmatch(href):
                    return ""
                address = href
            case {"type": str(kind), **rest} if kind in _SIGN_BY_MARK and not sign and not rest:
                sign = _SIGN_BY_MARK[kind]
            case _:
                return ""
    if match is None or (match["blank"] and (sign == "`" or address)):
        return ""
    words = f"{sign}{match['text']}{sign}"
    return f"[{words}]({address})" if address else f"{words}{match['blank']}"


def _parts_or_empty(node: Any) -> tuple[str, Json, list[Any]]:
    """Return the kind, the attributes and the content of a block.

    The kind is empty for what is no block, or has more than these. The block's own ID, which nobody
    sees, is not among the attributes.
    """
    if type(node) is not dict or not node.keys() <= _BLOCK_KEYS:
        return "", {}, []
    kind, attrs, content = node.get("type"), node.get("attrs"), node.get("content")
    if type(kind) is not str or (attrs is not None and type(attrs) is not dict):
        return "", {}, []
    own = {key: value for key, value in attrs.items() if key != "localId"} if attrs else {}
    return kind, own, content if type(content) is list else []
