"""Placeholders: characters that stand for escapes which marklas does not write.

While marklas works, a character that no text holds stands for each escape, because marklas would
escape the escapes themselves. Placeholders are Unicode's noncharacters, which no text needs. A
document that holds one nevertheless is converted without placeholders and is seldom exact.

`protect_...` puts placeholders in, `restore_...` replaces them by what they stand for.

While a document is written, the placeholders of `PLACEHOLDER_BY_MARKUP_CHARACTER` stand for signs that marklas would escape.
While Markdown is read, those of `PLACEHOLDER_BY_ESCAPED_CHARACTER` stand for signs with a backslash before them, which begin
no short form.

marklas writes as HTML what Markdown lacks, each tag with an ``adf`` attribute, and drops every
other tag without a message. So a placeholder replaces the ``<`` of every other tag: `List<String>`
is text. A comment stays, since it must not be published as text; `lost_texts` reports it.
Code is not recognised here: a placeholder in code becomes a ``<`` again as well.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ticketr.app.jira.adf import _addresses, _signs
from ticketr.app.jira.adf._blocks import SEPARATOR_COMMENT
from ticketr.app.jira.adf._canonical import INLINE_PARENT_NODES, Json
from ticketr.app.jira.adf._tables import TablesForMarklas, fenced_ranges

#: Stands for a ``<`` that is text without a backslash before it.
UNESCAPED_LESS_THAN_PLACEHOLDER = "\ufdd6"
#: Stands for a ``<`` with a backslash before it, which is two characters in code.
ESCAPED_LESS_THAN_PLACEHOLDER = "\ufdd7"

#: The kinds of node that marklas writes as each tag.
_NODE_KINDS_BY_TAG = {
    "a": "inlineCard link",
    "aside": "panel",
    "details": "expand nestedExpand",
    "div": "bodiedExtension bodiedSyncBlock blockCard cell embedCard extension layoutColumn marks"
    " mediaGroup syncBlock table unknownBlock",
    "figcaption": "caption",
    "figure": "mediaSingle",
    "li": "decisionItem taskItem",
    "section": "layoutSection",
    "span": "annotation bgColor emoji inlineExtension media mediaInline mention placeholder status"
    " textColor unknownInline unknownMark",
    "sub": "subSup",
    "sup": "subSup",
    "time": "date",
    "u": "underline",
    "ul": "decisionList taskList",
}
#: The tags that marklas writes, each with the kind in its ``adf`` attribute.
MARKLAS_TAGS_AND_KINDS = frozenset(
    (tag, kind) for tag, kinds in _NODE_KINDS_BY_TAG.items() for kind in kinds.split()
)
#: The tags without an ``adf`` attribute that are read everywhere.
TAGS_READ_WITHOUT_ADF_ATTRIBUTE = frozenset({"details", "sub", "summary", "sup", "u"})
#: The tags without an ``adf`` attribute that say in a cell what Markdown says elsewhere.
TAGS_WITHIN_CELLS = frozenset(
    {"blockquote", "code", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "ul"}
)

_TAGS_SPANNING_BLANK_LINES = frozenset({"aside", "details", "div", "figure", "section", "ul"})
#: The tags that must be around a tag.
_REQUIRED_PARENT_TAGS = {"figcaption": {"figure"}, "li": {"ol", "ul"}, "summary": {"details"}}
#: What may be before the first word of a line: indent, and the signs of quotes and items.
LINE_PREFIX_REGEX = r"^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]+|>)*(?:\[[ xX]\][ \t]+)?"

_TAG_ATTRIBUTES = r"""(?:[ \t]+(?:open|[\w-]+=(?:"[^"\n]*"|'[^'\n]*')))*[ \t]*"""
_TAG_OR_LINE_OR_CELL_END = re.compile(
    rf"""(?P<lone>{LINE_PREFIX_REGEX})(?:<p></p>|(?P<break><[bB][rR]\s*/?>))[ \t]*$
    |(?P<row>^[ \t>]*\|)
    |(?P<bar>\|)
    |(?P<blank>\n[ \t>]*$)
    |(?P<end>\n)
    |(?P<escaped>\\<)
    |\\[^\n]
    |\]\(\s*<(?:[^<>\\\n]|\\.)*>
    |^[ \t>]*\[[^\]\n]+\]:[ \t]*<[^<>\n]*>
    |(?P<auto><https?://[^<>\s{_signs.BEFORE_AUTOLINK_END_PLACEHOLDER}]+>)
    |<(?:[a-zA-Z][a-zA-Z0-9+.-]{{1,31}}://|mailto:|tel:)[^<>\s]*>
    |<[\w.!\#$%&'*+/=?^`{{|}}~-]+@[\w-]+(?:\.[\w-]+)*>
    |<!--
    |<[bB][rR]\s*/?>
    |<(?P<open>[a-z][a-z0-9]*)(?P<attrs>{_TAG_ATTRIBUTES})>
    |</(?P<close>[a-z][a-z0-9]*)>
    |(?P<less><)""",
    re.MULTILINE | re.VERBOSE,
)
_ADF_KIND_ATTRIBUTE_PATTERN = re.compile(r"""\sadf=["'](\w*)["']""")
_LINE_PREFIX_PATTERN = re.compile(LINE_PREFIX_REGEX, re.MULTILINE)
_UP_TO_THREE_SPACES = re.compile(" {0,3}")
_UNESCAPED_BAR = re.compile(r"(?<!\\)\|")


@dataclass(slots=True)
class _UnclosedTag:
    """A start tag without its end tag so far."""

    start: int
    name: str
    in_row: bool


def protect_html(markdown: str) -> str:
    """Replace the ``<`` of HTML that marklas has not written by a placeholder."""
    # Once a tag is text, a summary that was in it is in nothing.
    while "<" in markdown and (places := sorted(_find_texts_to_protect(markdown))):
        result: list[str] = []
        end = 0
        for start, stop, placeholder in places:
            result += markdown[end:start], placeholder
            end = stop
        result.append(markdown[end:])
        markdown = "".join(result)
    return markdown


def _find_texts_to_protect(markdown: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end of each text to replace, and its placeholder."""
    opened: list[_UnclosedTag] = []
    unclosed: list[_UnclosedTag] = []
    in_row = False
    line = 0
    fences = fenced_ranges(markdown)
    for piece in _TAG_OR_LINE_OR_CELL_END.finditer(markdown):
        kind = piece.lastgroup
        start = piece.start()
        if kind in {"row", "bar", "blank", "end"}:
            # In a cell, all tags have to end; at a blank line, all but blocks.
            gone = {
                tag.start: tag
                for tag in opened
                if tag.in_row or (kind == "blank" and tag.name not in _TAGS_SPANNING_BLANK_LINES)
            }
            if gone:
                opened = [tag for tag in opened if tag.start not in gone]
                unclosed += gone.values()
            in_row = kind == "row" or (in_row and kind == "bar")
            line = start + 1 if kind in {"blank", "end"} else line
        elif kind == "break":
            yield piece.start("break"), piece.start("break"), _signs.REMOVED_PLACEHOLDER
        elif kind == "escaped":
            yield start, piece.end(), ESCAPED_LESS_THAN_PLACEHOLDER
        elif kind == "auto":
            yield piece.end() - 1, piece.end() - 1, _signs.BEFORE_AUTOLINK_END_PLACEHOLDER
        elif kind == "less" or (
            (piece["open"] or piece["close"]) in TAGS_READ_WITHOUT_ADF_ATTRIBUTE
            and "adf=" not in piece[0]
            and _is_within(start, fences)
        ):
            yield start, start + 1, UNESCAPED_LESS_THAN_PLACEHOLDER
        elif piece["close"]:
            if not _close_tag(opened, piece["close"]):
                yield start, start + 1, UNESCAPED_LESS_THAN_PLACEHOLDER
        elif piece["open"]:
            pattern = _LINE_PREFIX_PATTERN if "adf=" in piece["attrs"] else _UP_TO_THREE_SPACES
            at_block_start = in_row or pattern.fullmatch(markdown, line, start) is not None
            if not _is_tag_read(piece, opened, in_row=in_row, at_block_start=at_block_start):
                yield start, start + 1, UNESCAPED_LESS_THAN_PLACEHOLDER
            elif piece["open"] != "hr":
                opened.append(_UnclosedTag(start, piece["open"], in_row))
    for tag in [*unclosed, *opened]:
        yield tag.start, tag.start + 1, UNESCAPED_LESS_THAN_PLACEHOLDER


def _is_within(at: int, ranges: list[tuple[int, int]]) -> bool:
    """Return whether a place is in one of some ranges, which are in order."""
    place = bisect_right(ranges, at, key=lambda span: span[0])
    return place > 0 and at < ranges[place - 1][1]


def _close_tag(opened: list[_UnclosedTag], tag: str) -> bool:
    """Remove the innermost tag of that name; return whether there was one."""
    for place in range(len(opened) - 1, -1, -1):
        if opened[place].name == tag:
            del opened[place]
            return True
    return False


def _is_tag_read(
    piece: re.Match[str], opened: list[_UnclosedTag], *, in_row: bool, at_block_start: bool
) -> bool:
    """Return whether a start tag is read in this place.

    Args:
        piece: The tag.
        opened: The tags without an end tag so far.
        in_row: Whether it is in a table.
        at_block_start: Whether a block can begin there.
    """
    tag, attrs = piece["open"], piece["attrs"]
    if tag in _REQUIRED_PARENT_TAGS and not any(
        ancestor.name in _REQUIRED_PARENT_TAGS[tag] for ancestor in opened
    ):
        return False
    if in_row and _UNESCAPED_BAR.search(attrs):  # the cell ends within the tag
        return False
    if "adf=" not in attrs:
        if tag == "details":
            return at_block_start and attrs in {"", " open"}
        bare = tag in TAGS_READ_WITHOUT_ADF_ATTRIBUTE and not attrs
        return bare or tag == "summary" or (in_row and tag in TAGS_WITHIN_CELLS)
    match = _ADF_KIND_ATTRIBUTE_PATTERN.search(attrs)
    is_from_marklas = match is not None and (tag, match[1]) in MARKLAS_TAGS_AND_KINDS
    return is_from_marklas and (at_block_start or tag not in _TAGS_SPANNING_BLANK_LINES)


_SPACE_PLACEHOLDER = "\ufdd1"
_TAB_PLACEHOLDER = "\ufdd2"
_NBSP_PLACEHOLDER = "\ufdd4"
#: Parts two texts without being seen.
_TEXT_SEPARATOR_PLACEHOLDER = "\ufdd5"
_PLACEHOLDER_PATTERN = re.compile(
    f"[{_addresses.ESCAPE_SIGN_PLACEHOLDER}-{_signs.LAST_PLACEHOLDER}]"
)

#: The escapes in Markdown that the placeholders stand for.
_ESCAPE_BY_PLACEHOLDER = str.maketrans(
    {
        _addresses.ESCAPE_SIGN_PLACEHOLDER: "\\",
        _SPACE_PLACEHOLDER: "&#32;",
        _TAB_PLACEHOLDER: "&#9;",
        _NBSP_PLACEHOLDER: "&#160;",
        _signs.REMOVED_PLACEHOLDER: "",
        _TEXT_SEPARATOR_PLACEHOLDER: SEPARATOR_COMMENT,  # nothing to a reader, but it ends the word before it
        **_addresses.EMPHASIS_BY_PLACEHOLDER,
        **_signs.CHARACTER_BY_MARKUP_PLACEHOLDER,
    }
)
#: What the short forms of tasks and decisions begin with.
_TASK_AND_DECISION_PREFIXES = tuple(map(_signs.protect_signs, ("[ ] ", "[x] ", "<> ")))
_BLANK_CHARACTERS = " \t\xa0"
_PLACEHOLDER_BY_BLANK = str.maketrans(
    {" ": _SPACE_PLACEHOLDER, "\t": _TAB_PLACEHOLDER, "\xa0": _NBSP_PLACEHOLDER}
)
#: What those stand for that mean the same outside of code and in it.
_TEXT_BY_PLACEHOLDER_ANYWHERE = {
    UNESCAPED_LESS_THAN_PLACEHOLDER: "<",
    _signs.REMOVED_PLACEHOLDER: "",
    _addresses.PERCENT_PLACEHOLDER: "%",
    _signs.BEFORE_AUTOLINK_END_PLACEHOLDER: "",
    _signs.UNUSED_DEFINITION_START_PLACEHOLDER: "[",
    **_addresses.EMPHASIS_BY_PLACEHOLDER,
}
#: What the placeholders stand for outside of code.
_PROSE_TEXT_BY_PLACEHOLDER = str.maketrans(
    {
        _SPACE_PLACEHOLDER: " ",
        _TAB_PLACEHOLDER: "\t",
        _NBSP_PLACEHOLDER: "\xa0",
        ESCAPED_LESS_THAN_PLACEHOLDER: "<",
        **_TEXT_BY_PLACEHOLDER_ANYWHERE,
        **_signs.CHARACTER_BY_ESCAPED_PLACEHOLDER,
    }
)
_CODE_TEXT_BY_PLACEHOLDER = str.maketrans(
    {
        _SPACE_PLACEHOLDER: "&#32;",
        _TAB_PLACEHOLDER: "&#9;",
        _NBSP_PLACEHOLDER: "&#160;",
        **_TEXT_BY_PLACEHOLDER_ANYWHERE,
        ESCAPED_LESS_THAN_PLACEHOLDER: "\\<",
        **{
            placeholder: f"\\{sign}"
            for placeholder, sign in _signs.CHARACTER_BY_ESCAPED_PLACEHOLDER.items()
        },
    }
)
_PLACEHOLDER_BY_ENTITY_NUMBER = {
    "32": _SPACE_PLACEHOLDER,
    "9": _TAB_PLACEHOLDER,
    "160": _NBSP_PLACEHOLDER,
}

_ESCAPE_OR_BLANK_ENTITY = re.compile(r"\\(.)|&#(32|9|160);", re.DOTALL)
#: What follows the sign of an item without text.
_EMPTY_ITEM_END_PATTERN = re.compile(rf" +{_signs.REMOVED_PLACEHOLDER}$", re.MULTILINE)
_BLANK_ENTITY_AMPERSAND_PATTERN = re.compile(r"&(?=#(?:32|9|160);)")
# Where a line would be read as a heading, a quote, a rule or an item without text.
_SPECIAL_LINE_START = re.compile(r"#{1,6}(?:\s|$)|[>=]|[-+](?=[-+\s]|$)")
_LONE_ITEM_NUMBER = re.compile(r"(\d{1,9})([.)])\Z")
# Signs that marklas escapes though they mean nothing here: in a word, between blanks, before a number.
_NEEDLESSLY_ESCAPED_SIGN = re.compile(
    r"(?<=[^\W_])_+(?=[^\W_])|(?<=\S )\*(?= \S)|<(?=[ \d=])|(?<=\s)~(?=\d)|(?<=\w)\[\w*\](?=[ .,;])"
)
_CLOSING_HASHES = re.compile(r"#+$")

_EMPHASIS_MARK_KINDS = frozenset({"strong", "em", "strike"})
_NODES_READ_AS_CODE = ("codeBlock", "status")  # tuples: a type may be unhashable
_TITLED_NODES = ("expand", "nestedExpand")


def lacks_placeholder_characters(markdown: str) -> bool:
    """Return whether Markdown holds none of the placeholder characters."""
    return markdown.isascii() or _PLACEHOLDER_PATTERN.search(markdown) is None


def restore_markdown(markdown: str) -> str:
    """Replace the placeholders in Markdown by the escapes that they stand for."""
    if not _PLACEHOLDER_PATTERN.search(markdown):
        return markdown
    # The addresses that need no angle brackets.
    no_brackets = _addresses.NO_BRACKETS_EDGE_PLACEHOLDER
    direct = markdown.replace(f"(<{no_brackets}", "(").replace(f"{no_brackets}>", "")
    return _EMPTY_ITEM_END_PATTERN.sub("", direct).translate(_ESCAPE_BY_PLACEHOLDER)


def protect_markdown(markdown: str) -> str:
    """Replace ticketr's escapes in Markdown by placeholders, which marklas leaves alone.

    Placeholders also replace the ``<`` of what marklas would drop as HTML, and percent signs, which
    it would confuse with its own in addresses. Tables are put into the form that it reads.
    """
    markdown = TablesForMarklas(markdown).markdown
    if _PLACEHOLDER_PATTERN.search(markdown):
        return markdown
    markdown = _addresses.hide_emphasis_signs_in_addresses(markdown)
    if "&#" in markdown or "\\" in markdown:
        markdown = _ESCAPE_OR_BLANK_ENTITY.sub(_placeholder_or_same_escape, markdown)
    return protect_html(markdown.replace("%", _addresses.PERCENT_PLACEHOLDER))


def restore_piece(text: str) -> str:
    """Replace the placeholders in a piece of protected Markdown by what they stand for."""
    return text.translate(_CODE_TEXT_BY_PLACEHOLDER) if _PLACEHOLDER_PATTERN.search(text) else text


def percent_decode_and_restore(address: str) -> str:
    """Return an address without marklas's percent-encoding and without placeholders."""
    return unquote(address).translate(_PROSE_TEXT_BY_PLACEHOLDER)


def restore_document(node: Any, *, code: bool = False) -> Any:
    """Replace the placeholders in a document that came from Markdown, in place."""
    if type(node) is str:
        # Placeholders are not ASCII, as most texts are.
        return (
            node
            if node.isascii()
            else node.translate(_CODE_TEXT_BY_PLACEHOLDER if code else _PROSE_TEXT_BY_PLACEHOLDER)
        )
    if type(node) is list:
        node[:] = [restore_document(item, code=code) for item in node]
    elif type(node) is dict:
        kind = node.get("type")
        code = code or kind in _NODES_READ_AS_CODE or _addresses.has_mark(node, "code")
        for key, value in node.items():
            if type(value) is str:
                if key in _addresses.ADDRESS_ATTRIBUTES:
                    node[key] = percent_decode_and_restore(value)
                elif not value.isascii():
                    node[key] = restore_document(value, code=code)
            else:
                # The title of a block is not Markdown.
                is_code = code or (key == "attrs" and kind in _TITLED_NODES)
                node[key] = restore_document(value, code=is_code)
    return node


def _placeholder_or_same_escape(match: re.Match[str]) -> str:
    """Return the placeholder of an escape; the escape itself if it needs none."""
    sign, number = match.groups()
    if number:
        return _PLACEHOLDER_BY_ENTITY_NUMBER[number]
    if sign == "[" and not match.string.startswith("!", match.end()):
        return match[0]
    return _signs.PLACEHOLDER_BY_ESCAPED_CHARACTER.get(sign, match[0])


def protect_content(node: Json) -> None:
    """Put placeholders into the texts in a node of a canonical document, in place."""
    content = node.get("content")
    kind = node.get("type")
    if type(content) is not list or not content or kind == "codeBlock":
        return
    _addresses.unmark_or_escape_links(content)
    for child in content:
        if type(child) is not dict:
            continue
        if child.get("type") == "text":
            _protect_text(child)
        else:
            protect_content(child)
    if kind in INLINE_PARENT_NODES:
        _protect_edges_and_emphasis(content, kind)


def _protect_text(node: Json) -> None:
    text = node["text"]
    if _addresses.has_mark(node, "code"):
        if text[0] == text[-1] == " " and text.strip(" "):
            node["text"] = f" {text} "  # one on either side is taken away again
        return
    if "&#" in text:
        text = _BLANK_ENTITY_AMPERSAND_PATTERN.sub(_addresses.ESCAPE_SIGN_PLACEHOLDER + "&", text)
    node["text"] = _NEEDLESSLY_ESCAPED_SIGN.sub(lambda match: _signs.protect_signs(match[0]), text)


def _protect_edges_and_emphasis(content: list[Json], kind: str) -> None:
    """Put placeholders where a line of text would be read as something else."""
    first, last = content[0], content[-1]
    # On a line of its own, <br> would be read as a block of HTML, which marklas drops.
    end = (
        _TEXT_SEPARATOR_PLACEHOLDER
        if all(child.get("type") == "hardBreak" for child in content)
        else _signs.REMOVED_PLACEHOLDER
    )
    if _is_text_outside_code(last):
        last["text"] = _protect_trailing_blanks_and_hashes(last["text"], kind)
    if _is_text_outside_code(first):
        first["text"] = _protect_start(first["text"], alone=len(content) == 1)
    if first.get("text") in _TASK_AND_DECISION_PREFIXES and _is_text_outside_code(content[1]):
        second = content[1]["text"]
        if second[:1].isspace():
            content[1]["text"] = _protect_start(second, alone=False)
    if len(content) > 1:
        _separate_emphasis(content)
    if first.get("type") == "hardBreak" or all(map(_is_blank_text, content)):
        content.insert(0, {"type": "text", "text": _signs.REMOVED_PLACEHOLDER})
    if last.get("type") == "hardBreak":
        content.append({"type": "text", "text": end})


def _separate_emphasis(content: list[Json]) -> None:
    """Separate texts between which asterisks would not be read as the end or start of emphasis."""
    position = 1
    for before, after in itertools.pairwise(tuple(content)):
        # Else the link would be an image.
        if "marks" in after and _is_text_outside_code(before) and before["text"].endswith("!"):
            before["text"] = f"{before['text'][:-1]}{_addresses.ESCAPE_SIGN_PLACEHOLDER}!"
        if ("marks" in before or "marks" in after) and _would_misread_asterisks(before, after):
            content.insert(position, {"type": "text", "text": _TEXT_SEPARATOR_PLACEHOLDER})
            position += 1
        position += 1


def _would_misread_asterisks(before: Json, after: Json) -> bool:
    """Return whether the asterisks between two texts would be read as text."""
    ends, starts = _has_only_emphasis_marks(before), _has_only_emphasis_marks(after)
    if not ends and not starts:
        return False
    if before.get("type") != "text" or after.get("type") != "text":
        return False
    last, first = before["text"][-1], after["text"][0]
    if ends and starts:
        return not (_asterisks_touch_word(before, last) and _asterisks_touch_word(after, first))
    if ends:
        return first.isalnum() and "marks" not in after and not _asterisks_touch_word(before, last)
    return last.isalnum() and "marks" not in before and not _asterisks_touch_word(after, first)


def _asterisks_touch_word(node: Json, character: str) -> bool:
    """Return whether the asterisks at an edge of a text touch a letter or a digit."""
    marks = node["marks"]
    return character.isalnum() and (len(marks) == 1 or all(m["type"] != "strike" for m in marks))


def _has_only_emphasis_marks(node: Json) -> bool:
    """Return whether a text begins and ends with asterisks or tildes."""
    marks = node.get("marks", ())
    return len(marks) > 0 and all(mark.get("type") in _EMPHASIS_MARK_KINDS for mark in marks)


def _protect_start(text: str, *, alone: bool) -> str:
    rest = text.lstrip(_BLANK_CHARACTERS)
    if len(rest) != len(text):
        return text[: len(text) - len(rest)].translate(_PLACEHOLDER_BY_BLANK) + rest
    if text[:1].isspace():
        return _signs.REMOVED_PLACEHOLDER + text
    if _SPECIAL_LINE_START.match(text):
        return _addresses.ESCAPE_SIGN_PLACEHOLDER + text
    number = _LONE_ITEM_NUMBER.match(text) if alone else None
    return f"{number[1]}{_addresses.ESCAPE_SIGN_PLACEHOLDER}{number[2]}" if number else text


def _protect_trailing_blanks_and_hashes(text: str, kind: str) -> str:
    rest = text.rstrip(_BLANK_CHARACTERS)
    if len(rest) != len(text):
        return rest + text[len(rest) :].translate(_PLACEHOLDER_BY_BLANK)
    if text[-1:].isspace():
        return text + _signs.REMOVED_PLACEHOLDER
    if kind == "heading" and text.endswith("#"):
        return _CLOSING_HASHES.sub(rf"{_addresses.ESCAPE_SIGN_PLACEHOLDER}\g<0>", text)
    return text


def _is_blank_text(node: Json) -> bool:
    """Return whether a node is a text of blanks alone; of a line of such in code marklas writes nothing."""
    return node.get("type") == "text" and not node["text"].strip()


def _is_text_outside_code(node: Json) -> bool:
    return node.get("type") == "text" and not _addresses.has_mark(node, "code")
