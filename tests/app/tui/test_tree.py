"""Test the list in blocks against a list that is arranged as a whole each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fakes.bytecodes import Bytecodes
from hypothesis import HealthCheck, given, settings, strategies as st

from ticketr.app.tickets import SORT_NAMES, Candidate, Ticket, parse_filter, sort_key
from ticketr.app.tui import row_blocks
from ticketr.app.tui.row_blocks import Rows
from ticketr.app.tui.rows import ListRow, rows_of
from ticketr.app.tui.sorting import sort_ahead
from ticketr.app.tui.tree import Wanted, arrange

#: Numbers of a ticket and of its sub-tasks; a draft has the number 0.
Family = tuple[int, int]

FAMILIES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=40, unique_by=lambda each: each[0]
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", 4)


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
    return sorted((family(*each) for each in families), key=lambda rows: rows[0].order)


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
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_blocks_show_what_one_list_shows_and_find_each_row(
    families: list[Family], folded: frozenset[int], sort: str, words: str
) -> None:
    ids = frozenset(f"DEMO-{number}" for number in folded)
    rows = Rows().merged(family(*each) for each in families)
    wanted = Wanted(parse_filter(words)) if words else None

    shown = arrange(rows, folded=ids, sort=sort, wanted=wanted)

    found = [(each.row.id, each.tasks, each.hidden) for each in shown]
    assert found == list(expected(families, ids, sort, words))
    assert list(shown[:]) == [shown[at] for at in range(len(shown))] == list(shown)
    assert [shown.index_of(each.row.order) for each in shown] == list(range(len(shown)))
    hits = shown.hits(["title", "7"])
    assert hits == tuple(
        at
        for at, each in enumerate(shown)
        if "title" in each.row.candidate.haystack and "7" in each.row.candidate.haystack
    )


@pytest.mark.parametrize("sort", ["key", "title"])
def test_a_row_that_is_not_shown_gives_its_ticket_or_the_next_row(sort: str) -> None:
    families = [(number, 2) for number in range(1, 20)]
    rows = Rows().merged(family(*each) for each in families)
    folded = arrange(rows, folded=frozenset(["DEMO-9"]), sort=sort)
    task = family(9, 2)[1]

    assert folded[folded.index_of(task.order)].row.id == "DEMO-9"
    gone = arrange(Rows().merged(family(*each) for each in families if each[0] != 9), sort=sort)
    order = gone[gone.index_of(task.order)].row.order
    assert order > task.order
    assert arrange(Rows(), sort=sort).index_of(task.order) == 0
    assert gone.index_of(("ZZ", 1, "", 0)) == len(gone) - 1


@given(FAMILIES, st.lists(st.integers(0, 40), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_replaced_ticket_leaves_the_others(families: list[Family], again: list[int]) -> None:
    rows = Rows().merged(family(*each) for each in families)

    changed = rows.merged(family(number, 1) for number in again)

    whole = dict(families) | dict.fromkeys(again, 1)
    assert list(changed) == [row for each in by_order(list(whole.items())) for row in each]
    assert len(changed) == len(list(changed))
    assert [changed[at] for at in range(len(changed))] == list(changed[:])
    assert changed == Rows.of(changed)
    assert hash(changed) == hash(Rows.of(changed))
    assert (changed == rows) == (list(changed) == list(rows))
    assert changed != list(changed)
    assert changed.drafts == (0 in whole)
    assert changed.issues == len(changed)


def test_a_change_of_one_ticket_copies_one_block() -> None:
    rows = Rows().merged(family(number, 1) for number in range(1, 40))

    changed = rows.merged([family(20, 1)])

    differing = [
        old for old, new in zip(rows.blocks, changed.blocks, strict=True) if old is not new
    ]
    assert len(rows.blocks) > 5
    assert len(differing) == 1
    # The garbage collector takes long for many new objects.
    kept = {id(each) for block in rows.blocks for each in block.shown}
    assert sum(id(each) not in kept for block in changed.blocks for each in block.shown) == 2


@given(FAMILIES, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_that_are_read_again_replace_all_and_keep_the_blocks_that_are_the_same(
    families: list[Family], again: list[Family]
) -> None:
    rows = Rows().merged(family(*each) for each in families)
    whole = [row for each in by_order(list(dict(again or families).items())) for row in each]

    updated = rows.updated(reversed(whole))

    assert list(updated) == whole
    assert [updated[at] for at in range(len(updated))] == whole
    assert rows.updated(rows) is rows
    assert updated.merged(family(*each) for each in again) == Rows.of(whole)


def test_a_ticket_less_and_one_more_make_two_blocks_new() -> None:
    rows = Rows().merged(family(number, 1) for number in range(1, 40))
    left = [row for row in rows if not row.key.endswith(("N-7", "1700"))]

    changed = rows.updated([*left, *family(60, 0)])

    assert len(changed.blocks) == len(rows.blocks) > 5
    kept = [old is new for old, new in zip(rows.blocks, changed.blocks, strict=True)]
    assert kept.count(False) == 2


@pytest.mark.parametrize("words", ["status=d", "-status=d", "-draft", "p"])
def test_a_filter_takes_a_few_steps_for_each_row(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", 256)
    rows = Rows().merged(family(number, 1) for number in range(1, 1000))
    rows.prepare()

    bytecodes = Bytecodes()
    with bytecodes.counted():
        arrange(rows, wanted=Wanted(parse_filter(words)))

    assert 0 < bytecodes.count < 65 * len(rows)


@pytest.mark.parametrize("sort", [name for name in SORT_NAMES if name != "key"])
@pytest.mark.parametrize("words", ["", "p"])
@pytest.mark.parametrize("folded", [frozenset[str](), frozenset(["DEMO-7"])])
def test_another_order_of_rows_that_were_read_takes_a_few_steps_for_each(
    sort: str, words: str, folded: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", 256)
    rows = Rows().merged(family(number, 1) for number in range(1, 300))
    sort_ahead(rows)
    wanted = Wanted(parse_filter(words)) if words else None
    arrange(rows, folded=folded, wanted=wanted)

    bytecodes = Bytecodes()
    with bytecodes.counted():
        shown = arrange(rows, folded=folded, sort=sort, wanted=wanted)
        at = shown.index_of(family(9, 1)[0].order)

    assert shown[at].row.key == "DEMO-9"
    assert 0 < bytecodes.count < 12 * len(rows)


def test_an_exclusion_looks_at_the_rows_that_other_words_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", 256)
    rows = Rows().merged(family(number, 1) for number in range(1, 1000))
    rows.prepare()
    arrange(rows, wanted=Wanted(parse_filter("77")))

    bytecodes = Bytecodes()
    with bytecodes.counted():
        shown = arrange(rows, wanted=Wanted(parse_filter("77 -done")))

    assert 0 < len(shown) < len(rows) / 20
    assert 0 < bytecodes.count < 6 * len(rows)


@pytest.mark.parametrize("sort", [name for name in SORT_NAMES if name != "key"])
def test_only_the_tickets_that_a_pull_brings_to_a_sorted_list_are_given_new_keys(
    sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", 32)
    rows = Rows().merged(family(number, 1) for number in range(1, 1000))
    sort_ahead(rows)
    keyed: list[str] = []

    def noting(name: str) -> Callable[[Candidate], object]:
        def key(candidate: Candidate) -> object:
            keyed.append(candidate.key)
            return sort_key(name)(candidate)

        return key

    monkeypatch.setattr("ticketr.app.tui.rows.sort_key", noting)
    merged = rows.merged(family(number, 2) for number in range(20, 1000, 50))
    arrange(merged, sort=sort)

    assert keyed == [f"DEMO-{number}" for number in range(20, 1000, 50)]


def test_a_letter_more_costs_less_than_a_look_at_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", 5000)  # all in one block
    tickets = [Ticket(title=f"Ticket {at}", key=f"DEMO-{at}") for at in range(1, 5001)]
    rows = Rows.of(rows_of(each, f"{each.key}.md")[0] for each in tickets)
    arrange(rows, wanted=Wanted(parse_filter("et 499")))

    bytecodes = Bytecodes()
    with bytecodes.counted():
        shown = arrange(rows, wanted=Wanted(parse_filter("et 4999")))

    assert [each.row.key for each in shown] == ["DEMO-4999"]
    assert 0 < bytecodes.count < len(rows) / 2


def test_a_word_that_was_pasted_is_searched_once_in_each_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", 5000)  # all in one block
    tickets = [Ticket(title=f"Ticket {at}", key=f"DEMO-{at}") for at in range(1, 5001)]
    rows = Rows.of(rows_of(each, f"{each.key}.md")[0] for each in tickets)
    rows.prepare()

    bytecodes = Bytecodes()
    with bytecodes.counted():
        shown = arrange(rows, wanted=Wanted(parse_filter("ticket")))

    assert len(shown) == 5000
    assert 0 < bytecodes.count < 20 * len(rows)
