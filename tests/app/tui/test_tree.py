"""Test the rows of tickets, and the list against one that is arranged ticket by ticket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fakes.states import app_state
from hypothesis import given, strategies as st

from ticketr.app.tickets import (
    SORT_NAMES,
    TextTerm,
    Ticket,
    UserAndFieldNames,
    parse_filter,
    sort_key,
)
from ticketr.app.tui.rows import ListRow, Rows, row_of_broken, rows_of
from ticketr.app.tui.tree import RowFilter, arrange

#: Numbers of a ticket and of its sub-tasks; a draft has the number 0.
Family = tuple[int, int]

FAMILIES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=40, unique_by=lambda each: each[0]
)


def family(number: int, tasks: int) -> tuple[ListRow, ...]:
    status = ("To Do", "Done")[number % 2]
    parts = tuple(
        Ticket(
            title=f"Part {at}", key=f"DEMO-{number * 100 + at + 1000}", fields={"Status": "Done"}
        )
        for at in range(tasks)
    )
    key = f"DEMO-{number}" if number else None
    title = f"Title {number * 7 % 10}"
    return rows_of(
        Ticket(title=title, key=key, fields={"Status": status}, tasks=parts), f"{key}.md"
    )


def by_order(families: list[Family]) -> list[tuple[ListRow, ...]]:
    return sorted((family(*each) for each in families), key=lambda rows: rows[0].key_order)


def expected(
    families: list[Family], folded: frozenset[str], sort: str, words: str
) -> Iterator[tuple[str, int, int]]:
    wanted = parse_filter(words)
    kept = by_order(families)
    if sort != "key":
        kept.sort(key=lambda rows: sort_key(sort)(rows[0].candidate))
    for head, *tasks in kept:
        left = [row for row in tasks if wanted.matches(row.candidate)]
        if not left and not wanted.matches(head.candidate):
            continue
        hidden = len(left) if head.id in folded else 0
        yield head.id, len(left), hidden
        for row in left if not hidden else ():
            yield row.id, 0, 0


@given(
    families=FAMILIES,
    folded=st.frozensets(st.integers(1, 40)),
    sort=st.sampled_from(SORT_NAMES),
    words=st.sampled_from(
        ["", "status=done", "status=", "part", "title 7", "-part", "-status=do key=1", "-draft"]
    ),
)
def test_the_list_shows_what_fits_and_finds_each_row(
    families: list[Family], folded: frozenset[int], sort: str, words: str
) -> None:
    ids = frozenset(f"DEMO-{number}" for number in folded)
    rows = Rows().with_tickets(family(*each) for each in families)
    wanted = RowFilter(parse_filter(words)) if words else None

    arranged = arrange(rows, ids, sort, wanted)

    shown = arranged.rows
    found = [(each.row.id, each.subtask_count, each.hidden_count) for each in shown]
    assert found == list(expected(families, ids, sort, words))
    matches_filter = [parse_filter(words).matches(each.row.candidate) for each in shown]
    assert [each.matches_filter for each in shown] == matches_filter
    last = len(shown) - 1
    assert arranged.filtered_position_and_count(last) == (sum(matches_filter), sum(matches_filter))
    assert arranged.filtered_position_and_count(0) == (sum(matches_filter[:1]), sum(matches_filter))
    assert [arranged.index_of_or_nearest(each.row.key_order) for each in shown] == list(
        range(len(shown))
    )
    hits = arranged.find_words_in_filter_hits(["title", "7"])
    assert hits == tuple(
        at
        for at, each in enumerate(shown)
        if each.matches_filter
        and "title" in each.row.candidate.haystack
        and "7" in each.row.candidate.haystack
    )


@pytest.mark.parametrize("sort", ["key", "title"])
def test_a_row_that_is_not_shown_gives_its_ticket_or_the_next_row(sort: str) -> None:
    families = [(number, 2) for number in range(1, 20)]
    rows = Rows().with_tickets(family(*each) for each in families)
    folded = arrange(rows, frozenset(["DEMO-9"]), sort, None)
    task = family(9, 2)[1]

    assert folded.rows[folded.index_of_or_nearest(task.key_order)].row.id == "DEMO-9"
    without = Rows().with_tickets(family(*each) for each in families if each[0] != 9)
    gone = arrange(without, frozenset(), sort, None)
    order = gone.rows[gone.index_of_or_nearest(task.key_order)].row.key_order
    assert order > task.key_order
    assert arrange(Rows(), frozenset(), sort, None).index_of_or_nearest(task.key_order) == 0
    assert gone.index_of_or_nearest(("ZZ", 1, "", 0)) == len(gone) - 1


def test_the_tickets_of_the_user_are_not_those_of_a_longer_name() -> None:
    people = ((1, "Ann Lee"), (2, "Ann Leeds"), (3, ""))
    tickets = (Ticket("One", f"DEMO-{at}", fields={"Assignee": name}) for at, name in people)
    rows = Rows.from_unsorted(row for ticket in tickets for row in rows_of(ticket, "a.md"))

    shown = arrange(
        rows, frozenset(), "key", RowFilter(parse_filter("@me", UserAndFieldNames("Ann Lee")))
    )

    assert [each.row.key for each in shown.rows] == ["DEMO-1"]


class Text(str):
    """A text that counts how often something is looked for in any."""

    __slots__ = ()
    looks = 0

    def __contains__(self, text: object) -> bool:
        Text.looks += 1
        return isinstance(text, str) and text in str(self)


def test_a_word_is_looked_for_once_in_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Text, "looks", 0)
    heads = [family(number, 0) for number in range(1, 11)]
    for (row,) in heads:
        object.__setattr__(row.candidate, "haystack", Text(row.candidate.haystack))
    rows = Rows().with_tickets(heads)

    listed = arrange(rows, frozenset(), "key", None).find_words_in_filter_hits(
        ["title 7"]
    )  # as the search does
    filtered = arrange(rows, frozenset(), "key", RowFilter(parse_filter('"title 7"')))

    assert [each.row.key for each in filtered.rows] == [rows.all_rows[at].row.key for at in listed]
    assert [each.row.key for each in filtered.rows] == ["DEMO-1"]
    assert Text.looks == len(rows)
    arrange(rows, frozenset(), "key", None).find_words_in_filter_hits(["title 77"])
    assert Text.looks == len(rows) + 1  # only where its start is
    more = rows.with_tickets([family(11, 2)])
    arrange(more, frozenset(), "key", RowFilter(parse_filter('"title 7" "title 77"')))
    assert Text.looks == len(rows) + 1  # only in the rows that are new, which count nothing


def test_tickets_come_while_a_thread_filters_the_same_rows() -> None:
    rows = Rows().with_tickets([family(1, 0)])

    class Fits(bytearray):
        def copy(self) -> bytearray:
            rows.matches_by_term[TextTerm("other")] = bytearray(1)  # as a thread may do now
            return bytearray(self)

    rows.matches_by_term[TextTerm("title")] = Fits(b"\1")
    more = rows.with_tickets([family(2, 0)])
    assert more.matches_by_term == {TextTerm("title"): b"\1\1"}


@given(FAMILIES, st.lists(st.integers(0, 40), max_size=8))
def test_a_replaced_ticket_leaves_the_others(families: list[Family], again: list[int]) -> None:
    rows = Rows().with_tickets(family(*each) for each in families)

    terms = parse_filter('"title 7" -status=done').terms
    for term in terms:
        arrange(rows, frozenset(), "key", None).find_fitting_rows(term)

    changed = rows.with_tickets(family(number, 1) for number in again)

    whole = dict(families) | dict.fromkeys(again, 1)
    assert list(changed) == [row for each in by_order(list(whole.items())) for row in each]
    assert changed == Rows.from_unsorted(changed)
    assert changed.matches_by_term == {
        term: bytearray(term.matches(row.candidate) for row in changed) for term in terms
    }
    assert changed.draft_count == (0 in whole)
    assert changed.issue_and_draft_count == len(changed)


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

    assert "\x1b" not in row.title_or_error
    assert "\x07" not in row.status


def test_rows_are_in_the_order_of_numbers_not_of_letters() -> None:
    rows = Rows().with_tickets([rows_of(ticket(each), f"{each}.md") for each in (10, 9, 100)])

    assert keys(rows) == ["DEMO-9", "DEMO-10", "DEMO-100"]


def test_sub_tasks_stay_below_their_ticket_whatever_their_numbers() -> None:
    rows = Rows().with_tickets([rows_of(ticket(5), "5.md"), rows_of(ticket(1, 9), "1.md")])

    assert keys(rows) == ["DEMO-1", "DEMO-9", "DEMO-5"]


def test_a_ticket_that_comes_again_replaces_its_rows_even_from_another_file() -> None:
    rows = Rows().with_tickets([rows_of(ticket(1, 2, 3), "old.md"), rows_of(ticket(4), "4.md")])

    rows = rows.with_tickets([rows_of(ticket(1, 2, title="New"), "new.md")])

    assert keys(rows) == ["DEMO-1", "DEMO-2", "DEMO-4"]
    assert (rows.all_rows[0].row.title_or_error, rows.all_rows[0].row.path) == (
        "New",
        "new.md",
    )


def test_a_broken_file_takes_the_row_of_its_ticket() -> None:
    rows = Rows().with_tickets([rows_of(ticket(each), f"DEMO-{each}.md") for each in (1, 2, 3)])

    row = row_of_broken("DEMO-2.md", "DEMO-2.md:1:1: \x1b[2Jwhy", has_ticket_rows=False)

    assert row.key_order == rows.all_rows[1].row.key_order
    assert (row.key, row.title_or_error, row.is_broken) == ("", "DEMO-2.md:1:1: why", True)


def test_issues_drafts_and_broken_files_are_counted_while_tickets_come() -> None:
    draft = Ticket("Draft", line=1, tasks=(Ticket("Task"),))
    broken = row_of_broken("DEMO-2.md", "why", has_ticket_rows=False)
    rows = Rows.from_unsorted([*rows_of(draft, "d.md"), *rows_of(ticket(1), "1.md"), broken])
    assert (rows.issue_and_draft_count, rows.draft_count, rows.broken_count) == (3, 2, 1)

    rows = rows.with_tickets(
        [rows_of(ticket(2), "DEMO-2.md"), rows_of(Ticket("Alone", line=1), "d.md")]
    )
    assert (rows.issue_and_draft_count, rows.draft_count, rows.broken_count) == (3, 1, 0)


def test_a_broken_file_is_listed_before_its_shown_tickets() -> None:
    row = row_of_broken("DEMO-2.md", "DEMO-9 is in two places", has_ticket_rows=True)

    assert row.key_order < rows_of(ticket(1), "a.md")[0].key_order
    assert row.head_key == ""


def test_drafts_stand_side_by_side_before_the_rest() -> None:
    first = Ticket(title="One", line=1)
    second = Ticket(title="Two", line=9)

    rows = Rows().with_tickets(
        [rows_of(ticket(1), "1.md"), rows_of(second, "d.md"), rows_of(first, "d.md")]
    )

    assert [row.title_or_error for row in rows] == ["One", "Two", "T"]


def test_of_a_ticket_in_conflict_only_the_sub_tasks_that_clash_have_the_mark() -> None:
    tasks = (Ticket("One", "DEMO-2"), Ticket("Two", "DEMO-3"), Ticket("Three"))
    view = app_state(Ticket("Whole", "DEMO-1", tasks=tasks), Ticket("Other", "DEMO-5")).workspace
    view = replace(view, conflicts_by_key={"DEMO-1": ("DEMO-3: Labels",)})

    flags = [(each.row.title_or_error, view.sync_mark_of(each.row)) for each in view.visible.rows]

    assert flags == [("Whole", "!"), ("One", " "), ("Two", "!"), ("Three", "+"), ("Other", " ")]
