"""Walks over the blocks of a text, code and tables included, and writes them to a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ticketr.app.tui.markdown.inline import (
    DECISION_SYNTAX,
    UnwrappedLine,
    panel_kind_of,
    read_tag,
    unwrapped_lines_of,
)
from ticketr.app.tui.markdown.page import Glyphs, PageLines, RenderedLine, TableRuleGlyphs
from ticketr.app.tui.styled import Line, Span, cells, cut_or_pad_line, wrap_line
from ticketr.text import break_positions, clean, width as width_of

#: The mark before the rest of a line of code.
CODE_CONTINUATION_PREFIX: Final = "↪ "


def _add_code(page: PageLines, token: Token) -> None:
    """Write a block of code, with its language at the right if there is room for it."""
    bar = (Span(f"{Glyphs.BAR} ", ("dim",)),)
    page.open_container("code", bar, bar)
    room = page.room
    label = clean(token.info.split(maxsplit=1)[0]) if token.info.strip() else ""
    source_line = _source_line_of(token) + (token.type == "fence")
    for number, line in enumerate(token.content.removesuffix("\n").split("\n")):
        for begins, part in _split_code_line_marking_first(clean(line.expandtabs(4)), room):
            spans = (Span(CODE_CONTINUATION_PREFIX, ("dim",)),) if not begins else ()
            shown = (*spans, Span(part)) if part else spans
            if label:
                left = room - width_of(label)
                if left > 0 and width_of(part) < left - 1:
                    shown = (*cut_or_pad_line(shown, left), Span(label, ("dim",)))
                elif left > 0:
                    page.add_line((Span(" " * left), Span(label, ("dim",))), source_line)
                label = ""
            page.add_line(shown, source_line + number)
    page.close_container("code")
    page.add_gap_before_next()


def _split_code_line_marking_first(text: str, room: int) -> Iterator[tuple[bool, str]]:
    """Yield the parts of a line that fit, and whether each begins the line."""
    stops = (
        break_positions(text, room, max(2, room - width_of(CODE_CONTINUATION_PREFIX)))
        if width_of(text) > room
        else ()
    )
    for number, (begin, end) in enumerate(pairwise([0, *stops, len(text)])):
        yield number == 0, text[begin:end]


#: The least cells for the text of a column that needs more; with fewer, a table becomes a list.
MIN_COLUMN_CELLS: Final = 5


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table.

    Attributes:
        source_line: Its source line.
        is_header: Whether it is the header.
        cells: The lines of each cell.
    """

    source_line: int
    is_header: bool = False
    cells: list[list[UnwrappedLine]] = field(default_factory=list)


def add_table(page: PageLines, rows: Sequence[TableRow]) -> None:
    """Write a table.

    Args:
        page: The page.
        rows: The header and the other rows; all have as many cells as the header.
    """
    columns = range(len(rows[0].cells))
    needs = [max(1, *(_cell_width(row.cells[column]) for row in rows)) for column in columns]
    widths = column_widths(needs, page.room - 3 * len(needs) - 1)
    if widths is None:
        _add_table_as_list(page, rows)
        return
    has_header = any(text.spans for cell in rows[0].cells for text in cell)
    shown = [(row, list(_row_lines(row, widths))) for row in rows[not has_header :]]
    is_ruled = any(len(lines) > 1 for row, lines in shown if not row.is_header)
    top, middle, bottom = (_table_rule(frame, widths) for frame in Glyphs.TABLE_FRAME)
    page.add_line(top, rows[0].source_line)
    for number, (row, lines) in enumerate(shown):
        if number and (is_ruled or shown[number - 1][0].is_header):
            page.add_line(middle, row.source_line)
        for line in lines:
            page.add_line(line, row.source_line)
    page.add_line(bottom, rows[-1].source_line)


def column_widths(needs: Sequence[int], room: int) -> list[int] | None:
    """Share the cells of a page among the columns of a table.

    Columns that need no more than an equal share get what they need, and the others share what is
    left, equally.

    Args:
        needs: The cells that each column needs.
        room: The cells for all columns.

    Returns:
        The cells of each column; None if there is not enough room.
    """
    if sum(min(need, MIN_COLUMN_CELLS) for need in needs) > room:
        return None
    widths = [0] * len(needs)
    left = room
    for taken, number in enumerate(sorted(range(len(needs)), key=lambda column: needs[column])):
        widths[number] = min(needs[number], left // (len(needs) - taken))
        left -= widths[number]
    return widths


def _cell_width(cell: Sequence[UnwrappedLine]) -> int:
    return max(width_of("".join([span.text for span in text.spans])) for text in cell)


def _row_lines(row: TableRow, widths: Sequence[int]) -> Iterator[Line]:
    """Yield the lines of a row."""
    column = Span(Glyphs.BAR, ("dim",))
    columns = [
        [line.line for text in cell for line in text.wrap(width)]
        for cell, width in zip(row.cells, widths, strict=True)
    ]
    for parts in zip_longest(*columns, fillvalue=()):
        spans: list[Span] = []
        for part, width in zip(parts, widths, strict=True):
            spans += column, Span(" "), *part, Span(" " * (max(0, width - cells(part)) + 1))
        yield (*spans, column)


def _table_rule(frame: TableRuleGlyphs, widths: Sequence[int]) -> Line:
    left, crossing, right = frame
    lines = crossing.join(Glyphs.RULE * width for width in widths)
    return (Span(f"{left}{lines}{right}", ("dim",)),)


def _add_table_as_list(page: PageLines, rows: Sequence[TableRow]) -> None:
    """Write a table as a list: each cell with the head of its column."""
    header, *others = rows
    heads = [
        " ".join("".join([span.text for span in text.spans]) for text in cell)
        for cell in header.cells
    ]
    for row in others or [header]:
        for head, cell in zip(heads, row.cells, strict=True):
            if not any(text.spans for text in cell):
                continue
            page.open_container("cell", (), (Span("  "),))
            first = UnwrappedLine(row.source_line)
            if head.strip() and row is not header:
                first.append(Span(f"{head}: ", ("bold",)), row.source_line)
            for span in cell[0].spans:
                first.append(span, row.source_line)
            for text in (first, *cell[1:]):
                page.add_lines(text.wrap(page.room))
            page.close_container("cell")
        page.add_gap_before_next()


#: The most characters of a text that is read as Markdown; a longer one is shown as it is, which is
#: far quicker. Jira takes no description of more than 32,767 characters.
MAX_MARKDOWN_CHARACTERS = 40_000
#: How many characters a bracket counts for: each is tried as the beginning of a link.
CHARACTERS_COUNTED_PER_BRACKET = 10
#: The least width, in cells.
MIN_PAGE_CELLS = 10
#: The most blocks within one another; what is deeper is shown as it is.
_MAX_NESTING_DEPTH: Final = 40

_PARSER = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING_DEPTH})
# HTML blocks are off, since Markdown goes on around ticketr's own tags, and other tags are text.
# Texts are not joined, since a character behind a backslash begins no form.
_PARSER.enable(["table", "strikethrough"]).disable(["html_block", "text_join"])

_LINE_END_PATTERN = re.compile("\r\n|\r|\n")
_CHECKBOX_PATTERN = re.compile(r"\[([ xX])\][ \xa0]")
_DETAILS_OPENING_TAGS: Final = ("<details>", "<details open>")
_PANEL_TITLE_AND_COLOR_BY_KIND: Final = {
    "info": ("Info", "blue"),
    "note": ("Note", "magenta"),
    "tip": ("Tip", "green"),
    "success": ("Success", "green"),
    "warning": ("Warning", "yellow"),
    "error": ("Error", "red"),
}
_UNKNOWN_PANEL_TITLE_AND_COLOR: Final = ("Panel", "bright_black")
_LIST_TOKENS: Final = frozenset({"bullet_list_open", "ordered_list_open"})
#: The tags of ticketr that hold blocks.
_HTML_TAGS_HOLDING_BLOCKS: Final = frozenset({"aside", "details", "div", "figure", "section", "ul"})


@lru_cache(maxsize=64)
def render_markdown(text: str, width: int) -> tuple[RenderedLine, ...]:
    """Render Markdown to lines of styled text.

    It costs time in proportion to the text: about 5 ms for 2,000 characters.

    Args:
        text: Any text; it is cleaned here.
        width: The maximum width of a line, in cells; at least 10.

    Returns:
        The lines, each with the number of its line in the text. They are not padded.
    """
    page = PageLines(max(width, MIN_PAGE_CELLS))
    if len(text) + CHARACTERS_COUNTED_PER_BRACKET * text.count("[") > MAX_MARKDOWN_CHARACTERS:
        for number, line in enumerate(_LINE_END_PATTERN.split(text)):
            _add_plain(page, line, number)
    else:
        _BlockWriter(page, text).write_all()
    return tuple(page.lines)


def _add_plain(page: PageLines, text: str, source_line: int) -> None:
    """Add a line of text as it is."""
    for line in wrap_line((Span(clean(text.expandtabs(4))),), page.room):
        page.add_line(line, source_line)


@dataclass(frozen=True, slots=True)
class _ListStyle:
    """An open list: its bullet, empty for numbers, and whether it has no blank lines."""

    ul_bullet: str
    is_tight: bool


class _BlockWriter:
    """A walk over the tokens of a text.

    Args:
        page: The page to write to.
        text: The Markdown.
    """

    def __init__(self, page: PageLines, text: str) -> None:
        self.page = page
        self.text = text
        self.tokens = _PARSER.parse(text)
        self.lists: list[_ListStyle] = []

    def write_all(self) -> None:
        """Write all blocks."""
        token_index = 0
        while token_index < len(self.tokens):
            token = self.tokens[token_index]
            match token.type:
                case "table_open":
                    token_index = self._add_table_and_find_end(token_index)
                case "inline":
                    self._add_paragraph_heading_or_tag(token, self.tokens[token_index - 1])
                case "fence" | "code_block":
                    _add_code(self.page, token)
                case "hr":
                    rule = Glyphs.RULE * self.page.room
                    self.page.add_line((Span(rule, ("dim",)),), _source_line_of(token))
                    self.page.add_gap_before_next()
                case _:
                    self._open_or_close_block(token_index, token)
            token_index += 1
        while self.page.containers:
            self.page.close_container(self.page.containers[-1].tag)

    def _open_or_close_block(self, token_index: int, token: Token) -> None:
        """Open or close what holds blocks."""
        page = self.page
        match token.type:
            case "blockquote_open":
                self._open_quote_or_panel(token_index)
            case "bullet_list_open":
                depth = sum(bool(parent.ul_bullet) for parent in self.lists)
                bullet = Glyphs.BULLETS[min(depth, len(Glyphs.BULLETS) - 1)]
                self.lists.append(_ListStyle(bullet, self._is_tight_list(token_index)))
            case "ordered_list_open":
                self.lists.append(_ListStyle("", self._is_tight_list(token_index)))
            case "list_item_open":
                self._open_item(token_index)
            case "bullet_list_close" | "ordered_list_close":
                self.lists.pop()
                page.add_gap_before_next()
            case "blockquote_close" | "list_item_close":
                if self.tokens[token_index - 1].nesting == 1:
                    self._add_too_deep_blocks(self.tokens[token_index - 1])
                page.close_container("item" if token.type == "list_item_close" else "blockquote")
                if token.type == "blockquote_close":
                    page.add_gap_before_next()
            case _:
                pass

    def _open_quote_or_panel(self, token_index: int) -> None:
        """Open a quote, or a panel if its first line is the mark of one."""
        text = self.tokens[token_index + 2 : token_index + 3]
        panel = panel_kind_of(text[0].content) if text and text[0].type == "inline" else None
        label, color = _PANEL_TITLE_AND_COLOR_BY_KIND[panel] if panel else ("", "dim")
        bar = (Span(f"{Glyphs.BAR} ", (color,)),)
        self.page.open_container("blockquote", bar, bar)
        if not panel:
            return
        self.page.add_line((Span(label, ("bold",)),), _source_line_of(text[0]))
        children = text[0].children or []
        broken = next((at for at, child in enumerate(children) if child.type == "softbreak"), None)
        text[0].children = [] if broken is None else children[broken + 1 :]
        if broken is not None and text[0].map:
            text[0].map = [text[0].map[0] + 1, text[0].map[1]]

    def _is_tight_list(self, token_index: int) -> bool:
        """Return whether a list is shown without blank lines: no item has two blocks of text.

        Lists in items do not count, although Markdown parts them from their item by a blank line.
        """
        level, blocks = self.tokens[token_index].level, 0
        token_index += 1
        while blocks < 2 and (token := self.tokens[token_index]).level > level:
            if token.hidden:
                return True
            if token.level == level + 1:
                blocks = 0
            elif token.level == level + 2 and token.nesting >= 0:
                blocks += token.type not in _LIST_TOKENS
            token_index += 1
        return blocks < 2

    def _open_item(self, token_index: int) -> None:
        """Open an item of a list, with a box in front if its text begins with one."""
        token, inner = self.tokens[token_index], self.lists[-1]
        marker = f"{inner.ul_bullet or token.info + token.markup} "
        if self.tokens[token_index + 1].type == "paragraph_open":
            text = self.tokens[token_index + 2]
            if text.children and (box := _CHECKBOX_PATTERN.match(text.content)):
                shown = Glyphs.CHECKBOXES[box[1] != " "]
                marker = f"{shown} " if inner.ul_bullet else f"{marker}{shown} "
                text.children[0].content = text.children[0].content[box.end() :]
            elif inner.ul_bullet and text.children and text.content.startswith(DECISION_SYNTAX):
                marker = f"{Glyphs.DECISION_BULLET} "
                text.children[0].content = text.children[0].content[len(DECISION_SYNTAX) :]
        indent = (Span(" " * width_of(marker)),)
        self.page.open_container("item", (Span(marker),), indent, is_tight=inner.is_tight)

    def _add_too_deep_blocks(self, token: Token) -> None:
        """Show what the parser has left out of an empty block, as it is."""
        if token.level < _MAX_NESTING_DEPTH - 1 or token.map is None:
            return
        begin, end = token.map
        for number, line in enumerate(_LINE_END_PATTERN.split(self.text)[begin:end], begin):
            _add_plain(self.page, line.strip(), number)

    def _add_paragraph_heading_or_tag(self, token: Token, opening: Token) -> None:
        """Write a paragraph, a heading, or what a tag of ticketr opens or closes."""
        children = token.children or []
        source_line = _source_line_of(token)
        is_paragraph = opening.type == "paragraph_open"
        if is_paragraph:
            if token.content == "<p></p>":
                return
            if len(children) == 1 and self._open_or_close_tag(children[0], source_line):
                return
            if len(children) > 1 and children[0].content in _DETAILS_OPENING_TAGS:
                self._add_one_line_details(token, opening)
                return
        texts = unwrapped_lines_of(
            children, self.page, source_line, *(() if is_paragraph else ("bold",))
        )
        if any(text.spans for text in texts):
            for text in texts:
                self.page.add_lines(text.wrap(self.page.room))
            if not token.content.startswith("<summary"):
                self.page.add_gap_before_next()

    def _add_one_line_details(self, token: Token, opening: Token) -> None:
        """Write what begins with `details` and is in one line with its title or its text."""
        first, *children = token.children or []
        self._open_or_close_tag(first, _source_line_of(token))
        if children[0].type == "softbreak":
            del children[0]
        closed = children[-1:] if children[-1].content == "</details>" else []
        token.children = children[: len(children) - len(closed)]
        self._add_paragraph_heading_or_tag(token, opening)
        for tag in closed:
            self._open_or_close_tag(tag, _source_line_of(token))

    def _open_or_close_tag(self, token: Token, source_line: int) -> bool:
        """Open or close what a tag of ticketr holds; return whether it does."""
        tag = read_tag(token.content, in_cell=False) if token.type == "html_inline" else None
        if tag is None or tag.name not in _HTML_TAGS_HOLDING_BLOCKS:
            return False
        if tag.is_end:
            return self._close_container_of_tag(tag.name)
        if len(self.page.containers) >= 2 * _MAX_NESTING_DEPTH:
            return False
        if tag.node_kind == "panel":
            label, color = _PANEL_TITLE_AND_COLOR_BY_KIND.get(
                tag.text_in_params("panelType"), _UNKNOWN_PANEL_TITLE_AND_COLOR
            )
            bar = (Span(f"{Glyphs.BAR} ", (color,)),)
            self.page.open_container(tag.name, bar, bar)
            self.page.add_line((Span(label, ("bold",)),), source_line)
        elif tag.name == "details":
            self.page.open_container(tag.name, (Span("▾ "),), (Span("  "),))
        else:
            self.page.open_container(tag.name, (), ())
        return True

    def _close_container_of_tag(self, name: str) -> bool:
        """Close the innermost container with that tag of ticketr; return if there is one."""
        for container in reversed(self.page.containers):
            if container.tag not in _HTML_TAGS_HOLDING_BLOCKS:
                return False
            if container.tag == name:
                self.page.close_container(name)
                self.page.add_gap_before_next()
                return True
        return False

    def _add_table_and_find_end(self, token_index: int) -> int:
        """Write a table; return the index of its last token."""
        rows: list[TableRow] = []
        source_line = _source_line_of(self.tokens[token_index])
        while (token := self.tokens[token_index]).type != "table_close":
            match token.type:
                case "tr_open":
                    source_line = token.map[0] if token.map else source_line
                    rows.append(TableRow(source_line, is_header=not rows))
                case "inline":
                    styles = ("bold",) if rows[-1].is_header else ()
                    texts = unwrapped_lines_of(
                        token.children or [], self.page, source_line, *styles, in_cell=True
                    )
                    rows[-1].cells.append(texts)
                case _:
                    pass
            token_index += 1
        add_table(self.page, rows)
        self.page.add_gap_before_next()
        return token_index


def _source_line_of(token: Token) -> int:
    """Return the line that a block begins at."""
    return token.map[0] if token.map else 0
