from __future__ import annotations

from hypothesis import given, strategies as st

from ticketr.app.tickets import Ticket
from ticketr.app.tui.row_blocks import Rows
from ticketr.app.tui.rows import row_of_broken, rows_of


def ticket(number: int, *tasks: int, title: str = "T") -> Ticket:
    parts = tuple(Ticket(title=f"Part {each}", key=f"DEMO-{each}") for each in tasks)
    return Ticket(title=title, key=f"DEMO-{number}", tasks=parts)


def keys(rows: Rows) -> list[str]:
    return [row.key for row in rows]


def test_a_ticket_has_a_row_for_itself_and_each_sub_task() -> None:
    rows = rows_of(ticket(1, 2, 3), "a.md")

    assert [(row.key, row.depth, row.path) for row in rows] == [
        ("DEMO-1", 0, "a.md"),
        ("DEMO-2", 1, "a.md"),
        ("DEMO-3", 1, "a.md"),
    ]


def test_titles_and_statuses_are_clean() -> None:
    hostile = Ticket(title="a\x1b[2Jb", key="DEMO-1", fields={"Status": "To\x07 Do"})

    (row,) = rows_of(hostile, "a.md")

    assert "\x1b" not in row.title
    assert "\x07" not in row.status


def test_rows_are_in_the_order_of_numbers_not_of_letters() -> None:
    rows = Rows().merged([rows_of(ticket(each), f"{each}.md") for each in (10, 9, 100)])

    assert keys(rows) == ["DEMO-9", "DEMO-10", "DEMO-100"]


def test_sub_tasks_stay_below_their_ticket_whatever_their_numbers() -> None:
    rows = Rows().merged([rows_of(ticket(5), "5.md"), rows_of(ticket(1, 9), "1.md")])

    assert keys(rows) == ["DEMO-1", "DEMO-9", "DEMO-5"]


def test_a_ticket_that_comes_again_replaces_its_rows_even_from_another_file() -> None:
    rows = Rows().merged([rows_of(ticket(1, 2, 3), "old.md"), rows_of(ticket(4), "4.md")])

    rows = rows.merged([rows_of(ticket(1, 2, title="New"), "new.md")])

    assert keys(rows) == ["DEMO-1", "DEMO-2", "DEMO-4"]
    assert (rows[0].title, rows[0].path) == ("New", "new.md")


def test_a_broken_file_takes_the_row_of_its_ticket() -> None:
    rows = Rows().merged([rows_of(ticket(each), f"DEMO-{each}.md") for each in (1, 2, 3)])

    row = row_of_broken("DEMO-2.md", "DEMO-2.md:1:1: \x1b[2Jwhy", has_rows=False)

    assert row.order == rows[1].order
    assert (row.key, row.title, row.is_broken) == ("", "DEMO-2.md:1:1: why", True)


def test_a_broken_file_is_listed_before_its_shown_tickets() -> None:
    row = row_of_broken("DEMO-2.md", "DEMO-9 is in two places", has_rows=True)

    assert row.order < rows_of(ticket(1), "a.md")[0].order
    assert row.head == ""


def test_drafts_stand_side_by_side_before_the_rest() -> None:
    first = Ticket(title="One", line=1)
    second = Ticket(title="Two", line=9)

    rows = Rows().merged(
        [rows_of(ticket(1), "1.md"), rows_of(second, "d.md"), rows_of(first, "d.md")]
    )

    assert [row.title for row in rows] == ["One", "Two", "T"]


@given(st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=5, unique=True), max_size=20))
def test_merging_one_by_one_or_at_once_is_the_same(batches: list[list[int]]) -> None:
    at_once = Rows().merged([rows_of(ticket(n), f"{n}.md") for batch in batches for n in batch])
    one_by_one = Rows()
    for batch in batches:
        one_by_one = one_by_one.merged([rows_of(ticket(n), f"{n}.md") for n in batch])

    assert one_by_one == at_once
    assert keys(at_once) == [f"DEMO-{n}" for n in sorted({n for b in batches for n in b})]
