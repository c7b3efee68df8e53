from __future__ import annotations

from dataclasses import replace

import pytest

from ticketr.app.sync.compare.diff import CorePart, Side
from ticketr.app.sync.compare.merge import Merged, merge
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


def names(merged: Merged) -> list[str]:
    return [each.key or each.title for each in merged.ticket.tasks]


class TestParts:
    """Title, fields and texts of one issue."""

    def test_changes_of_different_parts_are_both_taken(self) -> None:
        base = ticket("Words.", title="Old", Status="To Do", Priority="Low")
        local = ticket("Words.", title="New", Status="To Do", Priority="High")
        remote = ticket("Other words.", title="Old", Status="Done", Priority="Low")

        merged = merge(base, local, remote)

        assert merged == Merged(
            ticket("Other words.", title="New", Status="Done", Priority="High"), ()
        )

    def test_a_part_changed_on_both_sides_is_named_with_both_versions(self) -> None:
        merged = merge(ticket(title="Old"), ticket(title="Mine"), ticket(title="Theirs"))

        (clash,) = merged.clashes
        assert str(clash) == "AB-1: Title"
        assert (clash.change.old, clash.change.new) == ("Mine", "Theirs")
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

        assert merged == Merged(ticket(title="Mine", Status="Done", Priority="Low"), ())

    def test_a_field_that_jira_does_not_have_stays_in_the_file(self) -> None:
        merged = merge(ticket(), ticket(Estimate="3"), ticket(title="Theirs"))

        assert merged == Merged(ticket(title="Theirs", Estimate="3"), ())

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

        assert merged == Merged(ticket(Assignee="Ana"), ())

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

        assert merge(*sides, prefer=Side.LOCAL) == Merged(ticket(title="Mine"), ())
        assert merge(*sides, prefer=Side.REMOTE) == Merged(ticket(title="Theirs"), (), dropped=True)


class TestTexts:
    """Descriptions and criteria, line by line."""

    def test_lines_changed_here_and_lines_changed_in_jira_are_both_taken(self) -> None:
        merged = merge(
            ticket("one\n\ntwo\n\nthree"),
            ticket("ONE\n\ntwo\n\nthree"),
            ticket("one\n\ntwo\n\nthree\n\nfour"),
        )

        assert merged == Merged(ticket("ONE\n\ntwo\n\nthree\n\nfour"), ())

    def test_a_line_changed_on_both_sides_makes_the_whole_part_clash(self) -> None:
        merged = merge(ticket("one\n\ntwo"), ticket("ONE\n\ntwo"), ticket("1\n\ntwo\n\nthree"))

        (clash,) = merged.clashes
        assert (clash.change.part, clash.change.old) == (CorePart.DESCRIPTION, "ONE\n\ntwo")
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

        assert merged == Merged(ticket(f"{first}\n\ntwo\n\nTHREE"), (), dropped=dropped)

    def test_a_description_taken_out_here_and_changed_in_jira_clashes(self) -> None:
        assert len(merge(ticket("one\n\ntwo"), ticket(), ticket("one\n\n2")).clashes) == 1
        assert len(merge(ticket("one\n\ntwo"), ticket("one\n\n2"), ticket()).clashes) == 1

    def test_another_wording_here_stays_while_jira_changes_other_parts(self) -> None:
        merged = merge(ticket("- one"), ticket("* one"), ticket("- one", title="Theirs"))

        assert merged == Merged(ticket("* one", title="Theirs"), ())

    def test_another_wording_here_gives_way_to_a_change_in_jira(self) -> None:
        merged = merge(ticket("- one"), ticket("* one"), ticket("- one\n- two"))

        assert merged == Merged(ticket("- one\n- two"), ())

    @pytest.mark.parametrize("base", [None, ticket("old")])
    def test_the_same_in_other_words_is_jiras_wording(self, base: Ticket | None) -> None:
        merged = merge(base, ticket("* one", "__a__"), ticket("- one", "**a**"))

        assert [
            str(each) for each in merged.clashes if each.change.part is CorePart.DESCRIPTION
        ] == []
        assert merged.ticket.description == "- one"

    def test_criteria_added_in_different_places_are_both_taken(self) -> None:
        merged = merge(ticket("", "b"), ticket("", "a", "b"), ticket("", "b", "c"))

        assert merged == Merged(ticket("", "a", "b", "c"), ())

    def test_a_criterion_of_several_lines_is_merged_whole(self) -> None:
        merged = merge(
            ticket("", "a\nb", "c"), ticket("", "a\nb\n- d", "c"), ticket("", "a\nb", "c", "e")
        )

        assert merged == Merged(ticket("", "a\nb\n- d", "c", "e"), ())

    def test_of_two_criteria_that_are_alike_the_one_that_was_taken_out_goes(self) -> None:
        merged = merge(
            ticket("", "a", "a", "b"), ticket("", "a", "b"), ticket("", "a", "a", "b", "c")
        )

        assert merged == Merged(ticket("", "a", "b", "c"), ())

    def test_a_criterion_moved_here_and_changed_in_jira_clashes(self) -> None:
        merged = merge(
            ticket("", "a", "b", "c"), ticket("", "c", "a", "b"), ticket("", "a", "b", "C")
        )

        assert [str(each) for each in merged.clashes] == ["AB-1: Acceptance Criteria"]

    def test_a_section_whose_heading_was_renamed_is_text_now_and_not_lost(self) -> None:
        base = ticket("Words.", "Works")
        text = render_ticket(base).replace("## Acceptance Criteria", "## What to check")
        (local,) = parse(text).tickets

        merged = merge(base, local, ticket("Words.", "Works", title="Theirs"))

        assert merged == Merged(ticket("Words.\n\n## What to check\n- Works", title="Theirs"), ())

    def test_a_file_with_dos_line_ends_is_merged_as_any_other(self) -> None:
        base = ticket("one\n\ntwo\n\nthree", "a\nb")
        text = render_ticket(base).replace("one", "ONE").replace("\n", "\r\n")
        (local,) = parse(text).tickets

        merged = merge(base, local, ticket("one\n\ntwo\n\n3", "a\nb"))

        assert merged == Merged(ticket("ONE\n\ntwo\n\n3", "a\nb"), ())


class TestTasks:
    """The sub-tasks of a ticket."""

    def test_a_task_is_merged_by_its_key_wherever_it_stands(self) -> None:
        base = family(task(2, Status="To Do"), task(3))
        local = family(task(3), task(2, "Mine", Status="To Do"))
        remote = family(task(2, Status="Done"), task(3))

        merged = merge(base, local, remote)

        assert merged == Merged(family(task(3), task(2, "Mine", Status="Done")), ())

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

        assert merged == Merged(base, ())

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
