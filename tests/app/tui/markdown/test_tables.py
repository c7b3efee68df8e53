from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ticketr.app.tui.markdown import render_markdown
from ticketr.app.tui.markdown.tables import LEAST_COLUMN, column_widths
from ticketr.app.tui.styled import Span, plain


def shown(text: str, width: int, *, ascii_only: bool = False) -> list[str]:
    return [plain(each.line) for each in render_markdown(text, width, ascii_only=ascii_only)]


def test_a_table_has_a_frame_as_wide_as_needed() -> None:
    assert shown("a\n\n|a|b工|\n|-|-:|\n|ccc|d|\n|e|\n\nb", 80) == [
        "a",
        "",
        "┌─────┬─────┐",
        "│ a   │ b工 │",
        "├─────┼─────┤",
        "│ ccc │   d │",
        "│ e   │     │",
        "└─────┴─────┘",
        "",
        "b",
    ]


def test_the_header_is_bold_and_lines_know_their_source() -> None:
    lines = render_markdown("|*a*|\n|-|\n|b|", 80)

    assert lines[1].line[2] == Span("a", ("bold", "italic"))
    assert [each.source for each in lines] == [0, 0, 2, 2, 2]


def test_wide_cells_wrap_and_rows_are_parted() -> None:
    assert shown("|a|b|\n|-|:-:|\n|one two three four|five|\n|x|y|", 20, ascii_only=True) == [
        "+-----------+------+",
        "| a         |  b   |",
        "+-----------+------+",
        "| one two   | five |",
        "| three     |      |",
        "| four      |      |",
        "+-----------+------+",
        "| x         |  y   |",
        "+-----------+------+",
    ]


def test_an_empty_header_is_left_out() -> None:
    assert shown("| | |\n|-|-|\n|a|b|", 80) == ["┌───┬───┐", "│ a │ b │", "└───┴───┘"]


def test_only_a_header_is_a_table_too() -> None:
    assert shown("|a|\n|-|", 80) == ["┌───┐", "│ a │", "└───┘"]


def test_cells_hold_blocks_in_tags() -> None:
    text = (
        "|a|\n|-|\n"
        '|<p>b</p><ul><li>c<br>d</li><li>e</li></ul><ol start="7"><li>f</li><li>g</li></ol>'
        '<hr><h2>h</h2><ul adf="taskList"><li adf="taskItem" params=\'{"state":"DONE"}\'>i'
        "</li><li adf=\"taskItem\" params='{}'>j</li></ul><blockquote>k</blockquote>"
        '<code>l</code><ol start="x"><li>m</li></ol>|'
    )

    assert [line.strip("│ ") for line in shown(text, 80)[3:-1]] == [
        *("b", "• c", "d", "• e", "7. f", "8. g", "───", "h", "☑ i", "☐ j", "k", "l", "1. m"),
    ]


def test_a_table_in_a_cell_is_shown_as_lines() -> None:
    text = (
        '|a|\n|-|\n|<div adf="extension"><table><tr><th>b</th><td>c</td></tr>'
        "<tr><td>d</td></tr></table></div>|"
    )

    assert shown(text, 80)[3:-1] == ["│ [macro] │", "│ │ b │ c │", "│ │ d     │"]


def test_a_table_that_does_not_fit_is_a_list() -> None:
    assert shown("|one|two||\n|-|-|-|\n|first cell|second cell|x|\n|b||\n", 14) == [
        "one: first",
        "  cell",
        "two: second",
        "  cell",
        "x",
        "",
        "one: b",
    ]
    assert shown("|one|two|\n|-|-|", 10) == ["one", "two"]


@pytest.mark.parametrize(
    ("needs", "room", "widths"),
    [
        ([3, 5], 20, [3, 5]),
        ([3, 50], 20, [3, 17]),
        ([50, 50, 2], 20, [9, 9, 2]),
        ([50, 50], 21, [10, 11]),
        ([50, 50], 9, None),
        ([1] * 10, 10, [1] * 10),
        ([1] * 10, 9, None),
        ([], 9, []),
    ],
)
def test_columns_share_the_room(needs: list[int], room: int, widths: list[int] | None) -> None:
    assert column_widths(needs, room) == widths


@given(st.lists(st.integers(1, 60), max_size=12), st.integers(-5, 120))
def test_columns_fit_and_none_is_starved(needs: list[int], room: int) -> None:
    widths = column_widths(needs, room)

    if widths is None:
        return
    assert sum(widths) <= max(room, 0)
    assert sum(widths) == min(sum(needs), room)
    assert all(
        min(need, LEAST_COLUMN) <= width <= need for need, width in zip(needs, widths, strict=True)
    )


def test_a_table_of_500_columns_is_a_list_of_its_cells() -> None:
    text = "|" + "a|" * 500 + "\n|" + "-|" * 500 + "\n|" + "b|" * 500

    assert shown(text, 200) == ["a: b"] * 500
