"""The page that blocks are written to: its lines, indents and blank lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from ticketr.app.tui.styled import Line, cells, cut_or_pad_line


@dataclass(frozen=True, slots=True)
class RenderedLine:
    """A line of rendered Markdown.

    Attributes:
        line: The styled text; at most as wide as asked for.
        source_line: The number of the line in the Markdown that it comes from, from 0.
    """

    line: Line
    source_line: int


TableRuleGlyphs = tuple[str, str, str]


class Glyphs:
    """The characters that a page is drawn with."""

    #: The bullets of a list, of a list in it, and so on.
    BULLETS = ("•", "◦", "▪")
    #: What a decision of Jira begins with.
    DECISION_BULLET = "▸"
    #: The boxes of a task that is to be done and of one that is done.
    CHECKBOXES = ("☐", "☑")
    #: The line at the left of quotes, panels and code, and between two columns.
    BAR = "│"
    #: A horizontal rule.
    RULE = "─"
    #: The lines of a table: for its top, the line below a row, and its bottom, each with the left
    #: end, a crossing and the right end.
    TABLE_FRAME: tuple[TableRuleGlyphs, TableRuleGlyphs, TableRuleGlyphs] = (
        ("┌─", "─┬─", "─┐"),
        ("├─", "─┼─", "─┤"),
        ("└─", "─┴─", "─┘"),
    )


@dataclass(slots=True)
class Container:
    """A block that holds blocks: a quote, a list item, a panel.

    Attributes:
        tag: What it is: the tag of ticketr's HTML, or the kind of block.
        first_prefix: What its first line begins with, outer containers included.
        later_prefix: What its other lines begin with, outer containers included.
        room: The cells for the text of its lines.
        is_tight: Whether its blocks follow one another without a blank line.
        is_empty: Whether it has no line yet.
    """

    tag: str
    first_prefix: Line
    later_prefix: Line
    room: int
    is_tight: bool = False
    is_empty: bool = True


@dataclass(slots=True)
class PageLines:
    """The lines so far, and the containers that are open.

    Attributes:
        width: The maximum width of a line, in cells.
        lines: The lines so far.
        containers: The open containers, the outermost first.
    """

    width: int
    lines: list[RenderedLine] = field(default_factory=list)
    containers: list[Container] = field(default_factory=list)
    # The depth of the blank line that has to come before the next line; None for no blank line.
    _blank_line_depth: int | None = None

    @property
    def room(self) -> int:
        """The cells for the text of a line."""
        return self.containers[-1].room if self.containers else self.width

    def open_container(
        self, tag: str, first_prefix: Line, later_prefix: Line, *, is_tight: bool = False
    ) -> None:
        """Open a container."""
        outer = self.containers[-1] if self.containers else _ROOT_CONTAINER
        whole_first = self._joined_and_cut_prefix(
            outer.first_prefix if outer.is_empty else outer.later_prefix, first_prefix
        )
        whole_rest = self._joined_and_cut_prefix(outer.later_prefix, later_prefix)
        room = self.width - max(cells(whole_first), cells(whole_rest))
        self.containers.append(Container(tag, whole_first, whole_rest, room, is_tight))

    def _joined_and_cut_prefix(self, outer: Line, inner: Line) -> Line:
        """Return what lines begin with, cut so that there is room for text."""
        most = self.width - max(6, self.width // 4)
        if cells((*outer, *inner)) > most:
            inner = cut_or_pad_line(inner, min(cells(inner), most), "")
            outer = cut_or_pad_line(outer, most - cells(inner), "")
        return (*outer, *inner)

    def close_container(self, tag: str) -> None:
        """Close the innermost container with this tag, which must be open, and all within it."""
        closed = ""
        while closed != tag:
            container = self.containers[-1]
            if container.is_empty and container.first_prefix:
                self.add_line((), self.lines[-1].source_line if self.lines else 0)
            self.containers.pop()
            if self._blank_line_depth is not None:
                self._blank_line_depth = min(self._blank_line_depth, len(self.containers))
            closed = container.tag

    def add_gap_before_next(self) -> None:
        """Let a blank line follow, if another block does."""
        if self.containers and (self.containers[-1].is_tight or self.containers[-1].is_empty):
            return
        if self.lines and self._blank_line_depth is None:
            self._blank_line_depth = len(self.containers)

    def add_line(self, line: Line, source_line: int) -> None:
        """Add a line to the innermost container."""
        if self._blank_line_depth is not None:
            blank = (
                self.containers[self._blank_line_depth - 1].later_prefix
                if self._blank_line_depth
                else ()
            )
            self.lines.append(RenderedLine(_without_trailing_spaces(blank), source_line))
            self._blank_line_depth = None
        if self.containers:
            inner = self.containers[-1]
            line = (*(inner.first_prefix if inner.is_empty else inner.later_prefix), *line)
            for container in reversed(self.containers):
                if not container.is_empty:
                    break
                container.is_empty = False
        line = _without_trailing_spaces(line)
        if cells(line) > self.width:  # a character may be wider than the room
            line = cut_or_pad_line(line, self.width)
        self.lines.append(RenderedLine(line, source_line))

    def add_lines(self, lines: Iterable[RenderedLine]) -> None:
        """Add lines to the innermost container."""
        for line in lines:
            self.add_line(line.line, line.source_line)


_ROOT_CONTAINER: Final = Container("", (), (), 0, is_empty=False)


def _without_trailing_spaces(line: Line) -> Line:
    """Return a line without spaces at its end."""
    while line and line[-1].text.endswith(" "):
        text = line[-1].text.rstrip(" ")
        line = (*line[:-1], replace(line[-1], text=text)) if text else line[:-1]
    return line
