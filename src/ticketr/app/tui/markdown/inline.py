"""Turns the text of a block, short forms included, into lines of spans that are not wrapped yet."""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from operator import itemgetter
from typing import Final, cast
from urllib.parse import unquote

from markdown_it.token import Token

from ticketr.app.emoji import emoji_named
from ticketr.app.tui.markdown.page import Glyphs, PageLines, RenderedLine
from ticketr.app.tui.styled import Span, link_address, slice_line, with_style
from ticketr.text import clean, line_ranges

#: Separates texts that Markdown would join. A pull writes it.
SEPARATOR_COMMENT: Final = "<!-- -->"
#: The tags that begin a new line.
BLOCK_TAG_NAMES: Final = frozenset(
    {
        *("aside", "blockquote", "details", "div", "figcaption", "figure", "li", "ol", "p"),
        *("section", "summary", "table", "tr", "ul", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
    }
)
#: The tags with a meaning in a cell, even without an ``adf`` attribute.
_TAGS_READ_IN_CELLS: Final = BLOCK_TAG_NAMES | {"code", "td", "th"}

#: The tags of short forms, and their kinds.
NODE_KIND_BY_TAG: Final = {"details": "expand", "sub": "subSup", "sup": "subSup", "u": "underline"}

_TAG_PATTERN = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)
    (?P<attrs>(?:\s+(?:open(?=[\s>])|[\w-]+=(?:"[^"]*"|'[^']*')))*)\s*/?>""",
    re.VERBOSE,
)
_ATTRIBUTE_PATTERN = re.compile(r"""([\w-]+)=(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag that ticketr writes.

    Attributes:
        name: Its name, such as ``span``.
        node_kind: Its ``adf`` attribute, such as ``mention``; empty if it has none.
        attrs: Its attributes.
        is_end: Whether it is an end tag.
        is_short_form: Whether it has no ``adf`` attribute and is one of a short form.
    """

    name: str
    node_kind: str
    attrs: dict[str, str]
    is_end: bool
    is_short_form: bool = False

    def text_in_params(self, name: str) -> str:
        """Return a text among its parameters; empty if there is none."""
        try:
            params: object = json.loads(self.attrs.get("params", "{}"))
        except (ValueError, RecursionError):
            return ""
        value = cast("dict[str, object]", params).get(name) if isinstance(params, dict) else None
        return value if isinstance(value, str) else ""


def read_tag(text: str, *, in_cell: bool) -> Tag | None:
    """Return a tag that ticketr writes; None if it is text.

    Args:
        text: What the parser takes for a tag.
        in_cell: Whether it is in the cell of a table.

    Returns:
        The tag. For an end tag, the caller has to look whether it was opened.
    """
    tag_match = _TAG_PATTERN.fullmatch(text)
    if tag_match is None:
        return None
    name = tag_match["name"].lower()
    if tag_match["end"]:
        return Tag(name, "", {}, is_end=True)
    attrs = {
        match[1].lower(): _unescape_html(match[2] if match[2] is not None else match[3])
        for match in _ATTRIBUTE_PATTERN.finditer(tag_match["attrs"])
    }
    kind = attrs.get("adf", "")
    if not kind and name in NODE_KIND_BY_TAG and tag_match["attrs"].strip() in {"", "open"}:
        return Tag(name, NODE_KIND_BY_TAG[name], {}, is_end=False, is_short_form=True)
    if kind or name in {"br", "summary"} or (in_cell and name in _TAGS_READ_IN_CELLS):
        return Tag(name, kind, attrs, is_end=False)
    return None


def _unescape_html(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a number with thousands of digits
        return text


#: The kind of a panel by the word in its mark.
PANEL_KIND_BY_MARK: Final = {
    "INFO": "info",
    "NOTE": "note",
    "TIP": "success",
    "WARNING": "warning",
    "CAUTION": "error",
    "HINT": "tip",
    "IMPORTANT": "note",
    "SUCCESS": "success",
    "ERROR": "error",
}
#: What an item of a list begins with that is a decision.
DECISION_SYNTAX: Final = "<> "

_PANEL_MARK_PATTERN = re.compile(r"\[!(\w{1,20})\][ \t]*(?:\n|\Z)")
_ACCOUNT_ID_PATTERN = re.compile(r"(?!mailto:|tel:)[A-Za-z0-9][\w:-]{0,127}", re.ASCII)
_COLOR_IN_BRACES_PATTERN = re.compile(r"\{(?:neutral|grey|gray|purple|blue|red|yellow|green)\}")
_IMAGE_LAYOUT_PATTERN = re.compile(r"\{[\w .%-]{0,60}\}\Z", re.ASCII)
_ADDRESS_DATE_OR_EMOJI_PATTERN = re.compile(
    r"""https?://\S+
    |\{(?P<date>\d{4}-\d\d-\d\d)\}
    |(?<![\w:/])(?P<emoji>(?::(?:[a-z0-9][a-z0-9_+-]{0,60}|[+-]1):)+)(?![\w:])""",
    re.VERBOSE,
)


def panel_kind_of(content: str) -> str | None:
    """Return the kind of panel that a quote is, by the text of its first paragraph."""
    match = _PANEL_MARK_PATTERN.match(content)
    return PANEL_KIND_BY_MARK.get(match[1].upper()) if match else None


def read_short_forms(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens of a block with its short forms read, and adjacent texts joined.

    A character behind a backslash is a token of its own, which begins no form.
    """
    made: list[Token] = []
    for before, token in pairwise((_text_token(""), *tokens)):
        if token.type == "link_open" and _is_mention(before, token):
            made[-1].content = made[-1].content[:-1]
            token.type = "mention_open"
        words = token.content
        if token.type == "text":
            words = _read_forms_in_text(words, made[-1] if made else None)
        elif token.type != "text_special":
            made.append(token)
            continue
        if before.type == "mention_open":
            words = f"@{words}"
        if made and made[-1].type == "text":
            made[-1].content += words
        else:
            made.append(_text_token(words))
    return made


def _is_mention(before: Token, link: Token) -> bool:
    """Return whether a link is a mention: it follows an @, and its address is an account."""
    is_account = _ACCOUNT_ID_PATTERN.fullmatch(str(link.attrs.get("href"))) is not None
    return is_account and before.type == "text" and before.content.endswith("@")


def _read_forms_in_text(words: str, before: Token | None) -> str:
    """Return what is shown of a text, whose beginning may belong to the token before it."""
    if (
        before is not None
        and before.type == "code_inline"
        and (match := _COLOR_IN_BRACES_PATTERN.match(words))
    ):
        before.type = "status"
        words = words[match.end() :]
    elif before is not None and before.type == "image" and _IMAGE_LAYOUT_PATTERN.match(words):
        words = ""
    return _ADDRESS_DATE_OR_EMOJI_PATTERN.sub(_date_or_emoji_text, words)


def _date_or_emoji_text(match: re.Match[str]) -> str:
    """Return what is shown of a date or of emoji; what is written if it is neither."""
    if match["date"]:
        try:
            return date.fromisoformat(match["date"]).isoformat()
        except ValueError:
            return match[0]
    emoji = [emoji_named(name) for name in (match["emoji"] or "")[1:-1].split("::")]
    return match[0] if None in emoji else "".join(entry["text"] for entry in emoji if entry)


def _text_token(words: str) -> Token:
    return Token("text", "", 0, content=words)


_STYLE_BY_TOKEN: Final = {
    "strong_open": "bold",
    "em_open": "italic",
    "s_open": "strike",
    "mention_open": "bold",
}
_STYLE_BY_TAG: Final = {
    "u": "underline",
    "th": "bold",
    "summary": "bold",
    **{f"h{level}": "bold" for level in range(1, 7)},
}
_STYLE_BY_ADF_KIND: Final = {
    "mention": "bold",
    "status": "bold",
    "placeholder": "dim",
    "caption": "italic",
}
#: What the address of an attachment begins with; its name follows.
_ATTACHMENT_PREFIX: Final = "attachment:"
#: What stands for content that only Jira can show.
_PLACEHOLDER_BY_NODE_KIND: Final = {
    "blockCard": "",
    "bodiedExtension": "[macro]",
    "bodiedSyncBlock": "[synced block]",
    "extension": "[macro]",
    "inlineExtension": "[macro]",
    "syncBlock": "[synced block]",
    "unknownBlock": "[content of Jira]",
    "unknownInline": "[content of Jira]",
}
#: The most tags that are open at once; further ones are text.
MAX_OPEN_TAGS: Final = 50
_PAPERCLIP_AND_NAME_PATTERN = re.compile("\U0001f4ce ?(.*?)(?: \\([\\w:-]+\\))?")
# As ticketr sends it to Jira: addresses without `<...>` become links, too.
_WEB_ADDRESS_PATTERN = re.compile(
    r"(?<![\w/])https?://(?=\w)[^\s<>\[\]\\|`\"^{}\u2018-\u201f\u2026\xab\xbb\u3001-\u3003"
    r"\u3008-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]+"
)
_NOT_LAST_IN_ADDRESS = "?!.,:;*_~'"


@dataclass(slots=True)
class UnwrappedLine:
    """A line before it is wrapped.

    Attributes:
        source_line: The source line of its start.
        spans: Its spans.
        starts_and_source_lines: The offsets in the text at which another source line begins, with its number.
        character_count: The number of its characters.
    """

    source_line: int
    spans: list[Span] = field(default_factory=list)
    starts_and_source_lines: list[tuple[int, int]] = field(default_factory=list)
    character_count: int = 0

    def append(self, span: Span, source_line: int) -> None:
        """Append a span."""
        if not self.starts_and_source_lines or self.starts_and_source_lines[-1][1] != source_line:
            self.starts_and_source_lines.append((self.character_count, source_line))
        self.spans.append(span)
        self.character_count += len(span.text)

    def wrap(self, width: int) -> Iterator[RenderedLine]:
        """Yield the lines of at most so many cells."""
        text = "".join([span.text for span in self.spans])
        ranges = list(line_ranges(text, width, width))
        starts = self.starts_and_source_lines
        for (begin, _), line in zip(ranges, slice_line(tuple(self.spans), ranges), strict=True):
            at = bisect_right(starts, begin, key=itemgetter(0)) - 1
            yield RenderedLine(line, starts[at][1] if starts else self.source_line)


@dataclass(slots=True)
class _BlockLinesBuilder:
    """The lines of a block so far, and the marks and tags that are open."""

    page: PageLines
    source_line: int
    in_cell: bool
    styles: tuple[str, ...]
    lines: list[UnwrappedLine]
    style_stack: list[tuple[str, ...]] = field(default_factory=list)
    open_tags: list[Tag] = field(default_factory=list)
    link: str = ""
    link_text_parts: list[str] = field(default_factory=list)  # since the link began
    upcoming_tags: Counter[str] = field(default_factory=Counter)  # the tags that are to come

    def add_text(self, text: str, *styles: str) -> None:
        """Append a text."""
        text = clean(text)
        if text:
            styles = tuple(dict.fromkeys((*self.styles, *styles)))
            self.lines[-1].append(Span(text, styles, self.link), self.source_line)
            if self.link:
                self.link_text_parts.append(text)


def unwrapped_lines_of(
    tokens: Iterable[Token], page: PageLines, source_line: int, *styles: str, in_cell: bool = False
) -> list[UnwrappedLine]:
    """Return the lines that a block's inline tokens make.

    Args:
        tokens: The tokens.
        page: The page that the lines are for.
        source_line: The source line of the first token.
        styles: The styles of the whole text.
        in_cell: Whether the block is the cell of a table.
    """
    tokens = read_short_forms(tuple(tokens))
    upcoming_tags = Counter(token.content for token in tokens if token.type == "html_inline")
    builder = _BlockLinesBuilder(
        page,
        source_line,
        in_cell,
        styles,
        [UnwrappedLine(source_line)],
        upcoming_tags=upcoming_tags,
    )
    for token in tokens:
        _append_token(builder, token)
    if len(builder.lines) > 1 and not builder.lines[-1].spans:
        builder.lines.pop()
    return builder.lines


def _append_token(builder: _BlockLinesBuilder, token: Token) -> None:
    """Append what a token shows."""
    match token.type:
        case "text":
            _append_text_in_open_tag(builder, token.content)
        case "code_inline":
            _append_inline_code(builder, token.content)
        case "status":
            builder.add_text(f"[{token.content}]", "bold")
        case "softbreak":
            builder.add_text(" ")
            builder.source_line += 1
        case "hardbreak":
            builder.source_line += 1
            builder.lines.append(UnwrappedLine(builder.source_line))
        case "strong_open" | "em_open" | "s_open" | "mention_open":
            builder.style_stack.append(builder.styles)
            builder.styles = with_style(builder.styles, _STYLE_BY_TOKEN[token.type])
        case "strong_close" | "em_close" | "s_close":
            builder.styles = builder.style_stack.pop()
        case "link_open":
            builder.style_stack.append(builder.styles)
            _open_link(builder, str(token.attrs.get("href", "")))
        case "link_close":
            builder.styles = builder.style_stack.pop()
            _close_link(builder)
        case "image":
            _append_image(builder, token)
        case _:  # html_inline; the parser makes no others
            _apply_html_tag(builder, token.content)


def _append_text_in_open_tag(builder: _BlockLinesBuilder, text: str) -> None:
    tag = builder.open_tags[-1] if builder.open_tags else None
    if tag is not None and tag.name == "sup":
        text = f"^{text}"
    elif tag is not None and tag.node_kind in {"media", "mediaInline"}:
        if match := _PAPERCLIP_AND_NAME_PATTERN.fullmatch(text):
            text = match[1]
    elif not builder.link and "://" in text:
        _append_text_linking_addresses(builder, text)
        return
    builder.add_text(text)


def _append_text_linking_addresses(builder: _BlockLinesBuilder, text: str) -> None:
    """Append a text whose addresses become links."""
    at = 0
    for match in _WEB_ADDRESS_PATTERN.finditer(text):
        address = match[0].rstrip(_NOT_LAST_IN_ADDRESS)
        if "(" not in address:
            address = address.partition(")")[0]
        builder.add_text(text[at : match.start()])
        styles = builder.styles
        builder.styles, builder.link = with_style(styles, "underline"), address
        builder.add_text(address)
        builder.styles, builder.link = styles, ""
        at = match.start() + len(address)
    builder.add_text(text[at:])


def _append_inline_code(builder: _BlockLinesBuilder, code: str) -> None:
    if builder.open_tags and builder.open_tags[-1].node_kind == "status":
        builder.add_text(f"[{code}]")
        return
    builder.add_text("`", "dim")
    builder.add_text(code)
    builder.add_text("`", "dim")


def _open_link(builder: _BlockLinesBuilder, address: str) -> None:
    builder.styles = with_style(builder.styles, "underline")
    builder.link = address
    builder.link_text_parts.clear()


def _close_link(builder: _BlockLinesBuilder) -> None:
    """End a link; its address follows if no terminal opens it."""
    link, builder.link = builder.link, ""
    shown = "".join(builder.link_text_parts)
    if link_address(link):
        return
    address = clean(link.removeprefix("mailto:"))
    if address and address not in (shown, clean(f"https://{shown}")):
        builder.add_text(f" ({address})")


def _append_image(builder: _BlockLinesBuilder, token: Token) -> None:
    source = str(token.attrs.get("src", ""))
    alt = " ".join("".join([child.content for child in token.children or ()]).split())
    inner = builder.link
    builder.link = builder.link or (source if link_address(source) else "")
    name = "" if link_address(source) else unquote(source.removeprefix(_ATTACHMENT_PREFIX))
    shown = ", ".join(dict.fromkeys(text for text in (alt, name) if text))
    builder.add_text(f"[picture: {shown or source}]")
    builder.link = inner


def _apply_html_tag(builder: _BlockLinesBuilder, text: str) -> None:
    builder.upcoming_tags[text] -= 1
    if text == SEPARATOR_COMMENT:
        return
    tag = read_tag(text, in_cell=builder.in_cell)
    if tag is None or not _is_allowed_here(builder, tag):
        builder.add_text(text)
        builder.source_line += text.count("\n")
        return
    if tag.name == "br":
        builder.lines.append(UnwrappedLine(builder.source_line))
        return
    if tag.name in BLOCK_TAG_NAMES and builder.lines[-1].spans:
        builder.lines.append(UnwrappedLine(builder.source_line))
    if tag.is_end:
        _close_tags(builder, tag.name)
    else:
        _open_tag(builder, tag)


def _is_allowed_here(builder: _BlockLinesBuilder, tag: Tag) -> bool:
    """Return whether an end tag ends one, and a start tag may be in this place."""
    if tag.is_end:
        return any(tag.name == open_tag.name for open_tag in builder.open_tags)
    if tag.name == "summary":
        outer = [container.tag for container in builder.page.containers[-1:]]
        return "details" in (*outer, *(open_tag.name for open_tag in builder.open_tags))
    if tag.is_short_form and not builder.upcoming_tags[f"</{tag.name}>"]:
        return False
    return len(builder.open_tags) < MAX_OPEN_TAGS


def _open_tag(builder: _BlockLinesBuilder, tag: Tag) -> None:
    if tag.name == "hr":
        builder.add_text(Glyphs.RULE * 3)
        return
    builder.open_tags.append(tag)
    builder.style_stack.append(builder.styles)
    style = _STYLE_BY_ADF_KIND.get(tag.node_kind) or _STYLE_BY_TAG.get(tag.name)
    if style:
        builder.styles = with_style(builder.styles, style)
    if tag.name == "a" and not builder.link:
        _open_link(builder, tag.attrs.get("href", ""))
    if tag.name == "li":
        builder.add_text(f"{_next_html_item_marker(builder, tag)} ")
    elif tag.name in {"td", "th"}:
        gap = " " if builder.lines[-1].spans else ""
        builder.add_text(f"{gap}{Glyphs.BAR} ")
    elif tag.node_kind in {"media", "mediaInline"}:
        builder.add_text("[file: ")
    elif tag.node_kind in _PLACEHOLDER_BY_NODE_KIND:
        builder.add_text(_PLACEHOLDER_BY_NODE_KIND[tag.node_kind], "dim")


def _next_html_item_marker(builder: _BlockLinesBuilder, tag: Tag) -> str:
    """Return what an item of a list in HTML begins with."""
    if tag.node_kind == "taskItem":
        return Glyphs.CHECKBOXES[tag.text_in_params("state") == "DONE"]
    if tag.node_kind == "decisionItem":
        return Glyphs.DECISION_BULLET
    for number, outer in reversed(list(enumerate(builder.open_tags))):
        if outer.name == "ol":
            start = outer.attrs.get("start", "1")
            at = int(start) if re.fullmatch("[0-9]{1,9}", start) else 1
            builder.open_tags[number] = replace(outer, attrs={**outer.attrs, "start": str(at + 1)})
            return f"{at}."
        if outer.name == "ul":
            break
    return Glyphs.BULLETS[0]


def _close_tags(builder: _BlockLinesBuilder, name: str) -> None:
    """Close the innermost tag of that name, which must be open, and all within it."""
    closed = ""
    while closed != name:
        tag = builder.open_tags.pop()
        if tag.node_kind in {"media", "mediaInline"}:
            builder.add_text("]")
        builder.styles = builder.style_stack.pop()
        if tag.name == "a":
            _close_link(builder)
        closed = tag.name
