"""Three versions of a ticket become one; what holds of that whatever the versions are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.examples import examples
from fakes.ticket_versions import Versions, versions
from hypothesis import event, given, strategies as st

from ticketr.app.sync import Side
from ticketr.app.sync.compare.conflict_parts import find_parts
from ticketr.app.sync.compare.diff import (
    CorePart,
    Versions as MergedVersions,
    are_equivalent,
    find_changes,
    is_merged_by_line,
    issues_by_key,
    part_texts,
)
from ticketr.app.sync.compare.merge import MergedTicket, merge
from ticketr.app.tickets import Ticket, parse, render_ticket


def ticket(
    description: str = "",
    *criteria: str,
    title: str = "A",
    key: str | None = "AB-1",
    tasks: tuple[Ticket, ...] = (),
    **fields: str,
) -> Ticket:
    return Ticket(title, key, description, fields, criteria, tasks)


def task(number: int, title: str = "T", **fields: str) -> Ticket:
    return Ticket(title, f"AB-{number}", fields=fields)


def draft(title: str) -> Ticket:
    return Ticket(title)


def family(*tasks: Ticket) -> Ticket:
    return ticket(tasks=tasks)


def names(merged: MergedTicket) -> list[str]:
    return [each.key or each.title for each in merged.ticket.tasks]


class TestParts:
    """Title, fields and texts of one issue."""

    def test_changes_of_different_parts_are_both_taken(self) -> None:
        base = ticket("Words.", title="Old", Status="To Do", Priority="Low")
        local = ticket("Words.", title="New", Status="To Do", Priority="High")
        remote = ticket("Other words.", title="Old", Status="Done", Priority="Low")

        merged = merge(base, local, remote)

        assert merged == MergedTicket(
            ticket("Other words.", title="New", Status="Done", Priority="High"), ()
        )

    def test_a_part_changed_on_both_sides_is_named_with_both_versions(self) -> None:
        merged = merge(ticket(title="Old"), ticket(title="Mine"), ticket(title="Theirs"))

        (clash,) = merged.clashes
        assert str(clash) == "AB-1: Title"
        assert (clash.local, clash.remote) == ("Mine", "Theirs")
        assert merged.ticket.title == "Mine"

    def test_a_field_that_is_called_as_a_part_is_no_part(self) -> None:
        odd = {"Title": "x", "Description": "y", "Acceptance Criteria": "z"}
        base = replace(ticket("Words.", "Works"), fields=odd)
        local = replace(base, fields={**odd, "Title": "mine"})
        remote = replace(base, title="Theirs", fields={**odd, "Description": "theirs"})

        merged = merge(base, local, remote)

        assert merged.clashes == ()
        assert merged.ticket == replace(
            remote, fields={**odd, "Title": "mine", "Description": "theirs"}
        )

    def test_a_line_that_a_file_does_not_have_says_nothing(self) -> None:
        base = ticket(Status="To Do", Priority="Low")
        local = ticket(title="Mine")
        remote = ticket(Status="Done", Priority="Low")

        merged = merge(base, local, remote)

        assert merged == MergedTicket(ticket(title="Mine", Status="Done", Priority="Low"), ())

    def test_a_field_that_jira_does_not_have_stays_in_the_file(self) -> None:
        merged = merge(ticket(), ticket(Estimate="3"), ticket(title="Theirs"))

        assert merged == MergedTicket(ticket(title="Theirs", Estimate="3"), ())

    def test_fields_stand_in_jiras_order_and_then_those_that_jira_has_not(self) -> None:
        base = ticket(Status="To Do", Priority="Low")
        local = ticket(Estimate="3", Priority="High", Status="To Do")

        merged = merge(base, local, ticket(Type="Bug", Status="Done", Priority="Low")).ticket

        assert list(merged.fields.items()) == [
            *(("Type", "Bug"), ("Status", "Done"), ("Priority", "High"), ("Estimate", "3"))
        ]

    def test_an_emptied_line_stays_until_jira_knows(self) -> None:
        base = ticket(Assignee="Ana")
        local = ticket(Assignee="")

        assert merge(base, local, base).ticket == local
        assert merge(base, local, ticket(title="Theirs", Assignee="Ana")).ticket == ticket(
            title="Theirs", Assignee=""
        )
        assert merge(base, local, ticket(title="Theirs")).ticket == ticket(title="Theirs")

    def test_a_line_that_waits_for_a_value_takes_jiras(self) -> None:
        merged = merge(ticket(), ticket(Assignee=""), ticket(Assignee="Ana"))

        assert merged == MergedTicket(ticket(Assignee="Ana"), ())

    @pytest.mark.parametrize(("mine", "theirs"), [("", "Ben"), ("Ben", "")])
    def test_emptied_on_one_side_and_changed_on_the_other_clashes(
        self, mine: str, theirs: str
    ) -> None:
        there = {"Assignee": theirs} if theirs else {}

        merged = merge(
            ticket(Assignee="Ana"), ticket(Assignee=mine), replace(ticket(), fields=there)
        )

        assert [str(each) for each in merged.clashes] == ["AB-1: Assignee"]

    def test_a_status_in_other_letters_is_the_same_status(self) -> None:
        assert merge(None, ticket(Status="done"), ticket(Status="Done")).clashes == ()

    def test_a_choice_of_side_settles_a_clash_and_tells_if_something_was_given_up(self) -> None:
        sides = ticket(title="Old"), ticket(title="Mine"), ticket(title="Theirs")

        assert merge(*sides, prefer=Side.LOCAL) == MergedTicket(ticket(title="Mine"), ())
        assert merge(*sides, prefer=Side.REMOTE) == MergedTicket(
            ticket(title="Theirs"), (), has_dropped_edits=True
        )


class TestTexts:
    """Descriptions and criteria, line by line."""

    def test_lines_changed_here_and_lines_changed_in_jira_are_both_taken(self) -> None:
        merged = merge(
            ticket("one\n\ntwo\n\nthree"),
            ticket("ONE\n\ntwo\n\nthree"),
            ticket("one\n\ntwo\n\nthree\n\nfour"),
        )

        assert merged == MergedTicket(ticket("ONE\n\ntwo\n\nthree\n\nfour"), ())

    def test_a_line_changed_on_both_sides_makes_the_whole_part_clash(self) -> None:
        merged = merge(ticket("one\n\ntwo"), ticket("ONE\n\ntwo"), ticket("1\n\ntwo\n\nthree"))

        (clash,) = merged.clashes
        assert (clash.part, clash.local) == (CorePart.DESCRIPTION, "ONE\n\ntwo")
        assert merged.ticket == ticket("ONE\n\ntwo")

    @pytest.mark.parametrize(
        ("side", "first", "dropped"), [(Side.LOCAL, "ONE", False), (Side.REMOTE, "1", True)]
    )
    def test_a_choice_of_side_is_for_the_lines_that_clash_alone(
        self, side: Side, first: str, *, dropped: bool
    ) -> None:
        merged = merge(
            ticket("one\n\ntwo\n\nthree"),
            ticket("ONE\n\ntwo\n\nTHREE"),
            ticket("1\n\ntwo\n\nthree\n\nfour"[:-6]),
            prefer=side,
        )

        assert merged == MergedTicket(
            ticket(f"{first}\n\ntwo\n\nTHREE"), (), has_dropped_edits=dropped
        )

    def test_a_description_taken_out_here_and_changed_in_jira_clashes(self) -> None:
        assert len(merge(ticket("one\n\ntwo"), ticket(), ticket("one\n\n2")).clashes) == 1
        assert len(merge(ticket("one\n\ntwo"), ticket("one\n\n2"), ticket()).clashes) == 1

    def test_another_wording_here_stays_while_jira_changes_other_parts(self) -> None:
        merged = merge(ticket("- one"), ticket("* one"), ticket("- one", title="Theirs"))

        assert merged == MergedTicket(ticket("* one", title="Theirs"), ())

    def test_another_wording_here_gives_way_to_a_change_in_jira(self) -> None:
        merged = merge(ticket("- one"), ticket("* one"), ticket("- one\n- two"))

        assert merged == MergedTicket(ticket("- one\n- two"), ())

    @pytest.mark.parametrize("base", [None, ticket("old")])
    def test_the_same_in_other_words_is_jiras_wording(self, base: Ticket | None) -> None:
        merged = merge(base, ticket("* one", "__a__"), ticket("- one", "**a**"))

        assert [str(each) for each in merged.clashes if each.part is CorePart.DESCRIPTION] == []
        assert merged.ticket.description == "- one"

    def test_a_section_whose_heading_was_renamed_is_text_now_and_not_lost(self) -> None:
        base = ticket("Words.", "Works")
        text = render_ticket(base).replace("## Acceptance Criteria", "## What to check")
        (local,) = parse(text).tickets

        merged = merge(base, local, ticket("Words.", "Works", title="Theirs"))

        assert merged == MergedTicket(
            ticket("Words.\n\n## What to check\n- Works", title="Theirs"), ()
        )

    def test_a_file_with_dos_line_ends_is_merged_as_any_other(self) -> None:
        base = ticket("one\n\ntwo\n\nthree", "a\nb")
        text = render_ticket(base).replace("one", "ONE").replace("\n", "\r\n")
        (local,) = parse(text).tickets

        merged = merge(base, local, ticket("one\n\ntwo\n\n3", "a\nb"))

        assert merged == MergedTicket(ticket("ONE\n\ntwo\n\n3", "a\nb"), ())


class TestTasks:
    """The sub-tasks of a ticket."""

    def test_a_task_is_merged_by_its_key_wherever_it_stands(self) -> None:
        base = family(task(2, Status="To Do"), task(3))
        local = family(task(3), task(2, "Mine", Status="To Do"))
        remote = family(task(2, Status="Done"), task(3))

        merged = merge(base, local, remote)

        assert merged == MergedTicket(family(task(3), task(2, "Mine", Status="Done")), ())

    def test_tasks_swapped_in_jira_are_swapped_here(self) -> None:
        base = family(task(2), task(3), task(4))

        merged = merge(base, base, family(task(2), task(4), task(3)))

        assert names(merged) == ["AB-2", "AB-4", "AB-3"]

    def test_a_new_task_comes_behind_its_neighbour_and_moves_no_other(self) -> None:
        base = family(task(2), task(3), task(4))
        local = family(task(4), task(2), task(3))
        remote = family(task(1_0), task(2), task(5), task(3), task(4))

        merged = merge(base, local, remote)

        assert names(merged) == ["AB-10", "AB-4", "AB-2", "AB-5", "AB-3"]

    def test_a_task_gone_from_jira_stays_here_and_moves_no_other(self) -> None:
        base = family(task(2), task(3), task(4))
        local = family(task(4), task(3), task(2))

        assert names(merge(base, local, family(task(2), task(4)))) == ["AB-4", "AB-3", "AB-2"]

    def test_a_task_line_lost_here_comes_back_in_its_place(self) -> None:
        base = family(task(2), task(3), task(4))

        merged = merge(base, family(task(2), task(4)), base)

        assert merged == MergedTicket(base, ())

    def test_drafts_stay_behind_the_task_that_they_stand_behind(self) -> None:
        base = family(task(2), task(3))
        local = family(draft("first"), task(2), draft("a"), draft("b"), task(3), draft("last"))

        merged = merge(base, local, family(task(3), task(4), task(2)))

        assert names(merged) == ["first", "AB-3", "last", "AB-4", "AB-2", "a", "b"]

    def test_a_draft_that_is_called_like_a_task_is_another_one(self) -> None:
        merged = merge(family(task(2)), family(task(2), draft("T")), family(task(2)))

        assert names(merged) == ["AB-2", "T"]

    def test_a_task_that_is_new_on_both_sides_clashes_only_where_it_differs(self) -> None:
        merged = merge(
            family(), family(task(2, Status="To Do")), family(task(2, "Theirs", Status="To Do"))
        )

        assert [str(each) for each in merged.clashes] == ["AB-2: Title"]


thorough = examples(100, in_gate=20)
sides = st.sampled_from([None, Side.LOCAL, Side.REMOTE])


def says(one: Ticket, other: Ticket) -> bool:
    """Tell whether two tickets say the same of each issue that both have."""
    ours, theirs = issues_by_key(one), issues_by_key(other)
    return all(
        not find_changes(ours[key], theirs[key]) and not find_changes(theirs[key], ours[key])
        for key in ours.keys() & theirs.keys()
    )


@thorough
@given(versions)
def test_jiras_changes_alone_are_taken(three: Versions) -> None:
    merged = merge(three.base, three.base, three.remote)

    assert not merged.clashes
    assert not merged.has_dropped_edits
    assert says(merged.ticket, three.remote)
    assert set(issues_by_key(merged.ticket)) == set(issues_by_key(three.remote)) | set(
        issues_by_key(three.base)
    )


@thorough
@given(versions)
def test_changes_here_alone_are_kept_to_the_letter(three: Versions) -> None:
    merged = merge(three.base, three.local, three.base)

    assert not merged.clashes
    assert not merged.has_dropped_edits
    result, lost = (
        issues_by_key(merged.ticket),
        set(issues_by_key(three.base)) - set(issues_by_key(three.local)),
    )
    for key, issue in issues_by_key(three.local).items():
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
    assert merge(three.base, three.remote, three.remote) == MergedTicket(three.remote, ())
    assert merge(None, three.remote, three.remote) == MergedTicket(three.remote, ())


@thorough
@given(versions, sides)
def test_each_part_of_the_result_is_of_one_of_them_or_made_of_their_lines(
    three: Versions, prefer: Side | None
) -> None:
    merged = merge(three.base, three.local, three.remote, prefer=prefer)

    event(f"clashes: {bool(merged.clashes)}")
    sources = [issues_by_key(each) for each in (three.base, three.local, three.remote)]
    for key, issue in issues_by_key(merged.ticket).items():
        for part, text in part_texts(issue).items():
            known = [part_texts(each[key]).get(part, "") for each in sources if key in each]
            lines = {line for each in known for line in each.split("\n")}
            made = is_merged_by_line(part) and lines.issuperset(text.split("\n"))
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

    there = set(issues_by_key(three.remote))

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

    old, here, there = (issues_by_key(each) for each in (three.base, three.local, three.remote))
    for each in merged.clashes:
        part = each.part
        mine, theirs = (
            part_texts(here[each.key]).get(part, ""),
            part_texts(there[each.key]).get(part, ""),
        )
        assert (each.local, each.remote) == (mine, theirs)
        assert not are_equivalent(part, mine, theirs)
        assert part_texts(issues_by_key(merged.ticket)[each.key]).get(part, "") == mine
        if each.key in old:
            before = part_texts(old[each.key]).get(part, "")
            assert not are_equivalent(part, mine, before)
            assert not are_equivalent(part, theirs, before)


@thorough
@given(versions)
def test_a_choice_of_side_settles_every_clash_and_nothing_else(three: Versions) -> None:
    undecided = merge(three.base, three.local, three.remote)

    for side in Side:
        decided = merge(three.base, three.local, three.remote, prefer=side)
        assert not decided.clashes
        assert decided.has_dropped_edits <= (side is Side.REMOTE and bool(undecided.clashes))
        clashing = {(each.key, each.part) for each in undecided.clashes}
        here = issues_by_key(undecided.ticket)
        for key, issue in issues_by_key(decided.ticket).items():
            assert {(key, each.part) for each in find_changes(here[key], issue)} <= clashing


@thorough
@given(versions)
def test_without_a_base_all_that_differs_clashes(three: Versions) -> None:
    merged = merge(None, three.local, three.remote)

    there = issues_by_key(three.remote)
    expected = {
        (key, part)
        for key, issue in issues_by_key(three.local).items()
        if key in there
        for part, text in part_texts(issue).items()
        if not are_equivalent(part, text, part_texts(there[key]).get(part, ""))
    }
    assert {(each.key, each.part) for each in merged.clashes} == expected


@thorough
@given(versions)
def test_merging_what_was_merged_changes_nothing(three: Versions) -> None:
    merged = merge(three.base, three.local, three.remote, prefer=Side.LOCAL).ticket

    again = merge(three.remote, merged, three.remote)

    assert again == MergedTicket(merged, ())


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
        assert merge(base, three.local, three.remote, chosen_lines=chosen) == merge(
            base, three.local, three.remote, prefer=side
        )
    event("something clashes" if parts else "nothing clashes")
    assert len({part.id for part in parts}) == len(parts)
    names = [part.name for part in parts if is_merged_by_line(part.place.part)]
    assert len(set(names)) == len(names)
