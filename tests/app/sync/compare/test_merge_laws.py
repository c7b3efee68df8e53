"""What holds of a merge whatever the three versions are."""

from __future__ import annotations

from fakes.examples import examples
from fakes.ticket_versions import Versions, versions
from hypothesis import event, given, strategies as st

from ticketr.app.sync.compare.conflict_parts import find_parts
from ticketr.app.sync.compare.diff import (
    Side,
    Versions as MergedVersions,
    alike,
    by_key,
    changes,
    is_rich_text,
    part_texts,
)
from ticketr.app.sync.compare.merge import Merged, merge
from ticketr.app.tickets import Ticket, parse, render_ticket

thorough = examples(100, in_gate=20)
sides = st.sampled_from([None, Side.LOCAL, Side.REMOTE])


def says(one: Ticket, other: Ticket) -> bool:
    """Tell whether two tickets say the same of each issue that both have."""
    ours, theirs = by_key(one), by_key(other)
    return all(
        not changes(ours[key], theirs[key]) and not changes(theirs[key], ours[key])
        for key in ours.keys() & theirs.keys()
    )


@thorough
@given(versions)
def test_jiras_changes_alone_are_taken(three: Versions) -> None:
    merged = merge(three.base, three.base, three.remote)

    assert not merged.clashes
    assert not merged.dropped
    assert says(merged.ticket, three.remote)
    assert set(by_key(merged.ticket)) == set(by_key(three.remote)) | set(by_key(three.base))


@thorough
@given(versions)
def test_changes_here_alone_are_kept_to_the_letter(three: Versions) -> None:
    merged = merge(three.base, three.local, three.base)

    assert not merged.clashes
    assert not merged.dropped
    result, lost = by_key(merged.ticket), set(by_key(three.base)) - set(by_key(three.local))
    for key, issue in by_key(three.local).items():
        assert (
            part_texts(result[key]).items()
            >= {part: text for part, text in part_texts(issue).items() if text}.items()
        )
    here = [each for each in merged.ticket.tasks if each.key not in lost]
    order = [(each.key, each.title) for each in here]
    assert order == [(each.key, each.title) for each in three.local.tasks]


@thorough
@given(versions)
def test_both_sides_alike_are_the_result(three: Versions) -> None:
    assert merge(three.base, three.remote, three.remote) == Merged(three.remote, ())
    assert merge(None, three.remote, three.remote) == Merged(three.remote, ())


@thorough
@given(versions, sides)
def test_each_part_of_the_result_is_of_one_of_them_or_made_of_their_lines(
    three: Versions, prefer: Side | None
) -> None:
    merged = merge(three.base, three.local, three.remote, prefer=prefer)

    event(f"clashes: {bool(merged.clashes)}")
    sources = [by_key(each) for each in (three.base, three.local, three.remote)]
    for key, issue in by_key(merged.ticket).items():
        for part, text in part_texts(issue).items():
            known = [part_texts(each[key]).get(part, "") for each in sources if key in each]
            lines = {line for each in known for line in each.split("\n")}
            made = is_rich_text(part) and lines.issuperset(text.split("\n"))
            assert text in known or made


@thorough
@given(versions, sides)
def test_no_task_and_no_draft_is_lost_or_doubled(three: Versions, prefer: Side | None) -> None:
    merged = merge(three.base, three.local, three.remote, prefer=prefer).ticket

    keys = [each.key for each in merged.tasks if each.key]
    both = {each.key for each in (*three.local.tasks, *three.remote.tasks) if each.key}
    assert sorted(keys) == sorted(both)
    drafts = [each for each in merged.tasks if each.key is None]
    assert sorted(drafts, key=repr) == sorted(
        (each for each in three.local.tasks if each.key is None), key=repr
    )


@thorough
@given(versions, sides)
def test_what_jira_has_not_stays_behind_what_it_stands_behind(
    three: Versions, prefer: Side | None
) -> None:
    merged = merge(three.base, three.local, three.remote, prefer=prefer).ticket

    there = set(by_key(three.remote))

    def places(tasks: tuple[Ticket, ...]) -> list[tuple[Ticket, str | None]]:
        before: list[str | None] = [None, *(each.key or each.title for each in tasks)]
        pairs = zip(tasks, before, strict=False)
        return [(each, name) for each, name in pairs if each.key not in there]

    def order(place: tuple[Ticket, str | None]) -> str:
        return repr(place)

    assert sorted(places(merged.tasks), key=order) == sorted(places(three.local.tasks), key=order)


@thorough
@given(versions, sides)
def test_the_result_can_be_written_and_read_again(three: Versions, prefer: Side | None) -> None:
    merged = merge(three.base, three.local, three.remote, prefer=prefer).ticket

    assert parse(render_ticket(merged)).tickets == (merged,)


@thorough
@given(versions)
def test_a_part_clashes_only_if_both_sides_changed_it_and_then_stands_as_here(
    three: Versions,
) -> None:
    merged = merge(three.base, three.local, three.remote)

    old, here, there = (by_key(each) for each in (three.base, three.local, three.remote))
    for each in merged.clashes:
        part = each.change.part
        mine, theirs = (
            part_texts(here[each.key]).get(part, ""),
            part_texts(there[each.key]).get(part, ""),
        )
        assert (each.change.old, each.change.new) == (mine, theirs)
        assert not alike(part, mine, theirs)
        assert part_texts(by_key(merged.ticket)[each.key]).get(part, "") == mine
        if each.key in old:
            before = part_texts(old[each.key]).get(part, "")
            assert not alike(part, mine, before)
            assert not alike(part, theirs, before)


@thorough
@given(versions)
def test_a_choice_of_side_settles_every_clash_and_nothing_else(three: Versions) -> None:
    undecided = merge(three.base, three.local, three.remote)

    for side in Side:
        decided = merge(three.base, three.local, three.remote, prefer=side)
        assert not decided.clashes
        assert decided.dropped <= (side is Side.REMOTE and bool(undecided.clashes))
        clashing = {(each.key, each.change.part) for each in undecided.clashes}
        here = by_key(undecided.ticket)
        for key, issue in by_key(decided.ticket).items():
            assert {(key, each.part) for each in changes(here[key], issue)} <= clashing


@thorough
@given(versions)
def test_without_a_base_all_that_differs_clashes(three: Versions) -> None:
    merged = merge(None, three.local, three.remote)

    there = by_key(three.remote)
    expected = {
        (key, part)
        for key, issue in by_key(three.local).items()
        if key in there
        for part, text in part_texts(issue).items()
        if not alike(part, text, part_texts(there[key]).get(part, ""))
    }
    assert {(each.key, each.change.part) for each in merged.clashes} == expected


@thorough
@given(versions)
def test_merging_what_was_merged_changes_nothing(three: Versions) -> None:
    merged = merge(three.base, three.local, three.remote, prefer=Side.LOCAL).ticket

    again = merge(three.remote, merged, three.remote)

    assert again == Merged(merged, ())


@thorough
@given(versions, st.booleans())
def test_all_that_clashes_chosen_of_one_side_is_that_side_preferred(
    three: Versions, is_known: bool
) -> None:
    base = three.base if is_known else None
    parts, _ = find_parts(MergedVersions(base, three.local, three.remote))
    mine = {part.place: part.chunk.local for part in parts}
    theirs = {part.place: part.chunk.remote for part in parts}

    for side, chosen in ((Side.LOCAL, mine), (Side.REMOTE, theirs)):
        assert merge(base, three.local, three.remote, chosen=chosen) == merge(
            base, three.local, three.remote, prefer=side
        )
    event("something clashes" if parts else "nothing clashes")
    assert len({part.id for part in parts}) == len(parts)
    names = [part.name for part in parts if is_rich_text(part.place.part)]
    assert len(set(names)) == len(names)
