from __future__ import annotations

from dataclasses import replace

from fakes.ticket_versions import Versions, versions
from hypothesis import given

from ticketr.app.sync.compare.diff import alike, by_key, changes, part_texts
from ticketr.app.sync.edits.local_changes import (
    LocalChange,
    add_to_base,
    find_local_change,
    remote_changes,
    still_to_send,
)
from ticketr.app.sync.workspace.store import LocalTicket
from ticketr.app.tickets import Ticket, render_ticket


def ticket(
    description: str = "",
    *criteria: str,
    title: str = "A",
    tasks: tuple[Ticket, ...] = (),
    **fields: str,
) -> Ticket:
    return Ticket(title, "AB-1", description, fields, criteria, tasks)


def in_file(issue: Ticket) -> LocalTicket:
    return LocalTicket("a.md", issue, render_ticket(issue))


def planned(base: Ticket, local: Ticket) -> LocalChange | None:
    return find_local_change(in_file(local), "10001", base)


def without_drafts(issue: Ticket) -> Ticket:
    return replace(issue, tasks=tuple(task for task in issue.tasks if task.key))


def all_pushed(base: Ticket, local: Ticket) -> Ticket:
    local_change = planned(base, local)
    for key, edits in (local_change.edits if local_change else {}).items():
        base = add_to_base(base, key, edits)
    return base


class TestPlan:
    """What a push is to do."""

    @given(versions)
    def test_after_everything_is_pushed_only_drafts_and_strays_are_left(
        self, three: Versions
    ) -> None:
        base = all_pushed(three.base, three.local)

        again = planned(base, three.local)
        assert again is None or (not again.edits and (again.drafts or again.added_keys))

        again = planned(base, without_drafts(three.local))
        assert again is None or again.added_keys

    @given(versions)
    def test_each_edit_is_of_an_issue_that_was_there_and_each_draft_is_listed(
        self, three: Versions
    ) -> None:
        local_change = planned(three.base, three.local)

        here, before = by_key(three.local), by_key(three.base)
        edits = {key: changes(before[key], issue) for key, issue in here.items() if key in before}
        assert (local_change.edits if local_change else {}) == {
            key: some for key, some in edits.items() if some
        }
        drafts = tuple(task for task in three.local.tasks if task.key is None)
        assert (local_change.drafts if local_change else ()) == drafts
        if local_change is not None:
            assert set(local_change.added_keys) == here.keys() - before.keys()
            assert local_change.writes == len(local_change.edits) + len(drafts)

    @given(versions)
    def test_an_untouched_ticket_is_no_work(self, three: Versions) -> None:
        assert planned(three.base, three.base) is None

    def test_the_order_of_tasks_and_a_lost_task_are_no_work(self) -> None:
        tasks = Ticket("B", "AB-2"), Ticket("C", "AB-3")
        base = ticket(tasks=tasks)

        assert planned(base, ticket(tasks=tasks[::-1])) is None
        assert planned(base, ticket(tasks=tasks[:1])) is None

    def test_another_wording_of_a_description_is_no_work(self) -> None:
        assert planned(ticket("- one"), ticket("* one")) is None


class TestMoved:
    """Whether Jira has changed since the last sync."""

    @given(versions)
    def test_nothing_has_moved_if_jira_is_as_it_was(self, three: Versions) -> None:
        assert remote_changes(three.base, three.local, three.base) == {}

    @given(versions)
    def test_nothing_has_moved_that_stands_here_as_well(self, three: Versions) -> None:
        assert remote_changes(three.base, three.remote, three.remote) == {}

    @given(versions)
    def test_every_part_that_jira_changed_and_the_file_has_not_is_named(
        self, three: Versions
    ) -> None:
        found = {
            (key, each.part): (each.old, each.new)
            for key, some in remote_changes(three.base, three.base, three.remote).items()
            for each in some
        }

        old, new = by_key(three.base), by_key(three.remote)
        expected = {}
        for key in old.keys() & new.keys():
            before, now = part_texts(old[key]), part_texts(new[key])
            for part in before.keys() | now.keys():
                pair = before.get(part, ""), now.get(part, "")
                if not alike(part, *pair):
                    expected[key, part] = pair
        assert found == expected


class TestPushed:
    """What is true once edits have been sent."""

    @given(versions)
    def test_nothing_is_sent_that_jira_has_already(self, three: Versions) -> None:
        local_change = planned(three.base, three.local)

        for key, edits in (local_change.edits if local_change else {}).items():
            assert still_to_send(edits, by_key(three.base)[key]) == edits
            assert still_to_send(edits, by_key(three.local)[key]) == ()

    @given(versions)
    def test_the_base_changes_by_what_was_sent_and_no_more(self, three: Versions) -> None:
        local_change = planned(three.base, three.local)

        for key, edits in (local_change.edits if local_change else {}).items():
            sent = edits[-1:]
            base = add_to_base(three.base, key, sent)
            assert [each.key for each in base.tasks] == [each.key for each in three.base.tasks]
            for other, issue in by_key(base).items():
                before = part_texts(by_key(three.base)[other])
                if other == key:
                    before = before | {sent[0].part: sent[0].new}
                assert part_texts(issue) == before
