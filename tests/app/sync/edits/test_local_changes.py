from __future__ import annotations

from dataclasses import replace

from fakes.ticket_versions import Versions, versions
from hypothesis import given

from ticketr.app.sync.compare.diff import Change, CorePart, alike, by_key, changes, part_texts
from ticketr.app.sync.edits.local_changes import (
    LocalChange,
    add_to_base,
    draft_changes,
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

    def test_a_draft_is_created_with_its_tasks(self) -> None:
        task, keyed = Ticket("B"), Ticket("C", "AB-3")
        draft = Ticket("A", tasks=(task, keyed))

        local_change = find_local_change(in_file(draft), None, None)

        assert local_change == LocalChange(in_file(draft), None, None, {}, (task,), ("AB-3",))
        assert local_change is not None
        assert (local_change.name, local_change.writes) == ('draft "A"', 2)

    def test_a_draft_below_an_untouched_ticket_is_work(self) -> None:
        task = Ticket("B")

        local_change = planned(ticket(), ticket(tasks=(task,)))

        assert local_change == LocalChange(
            in_file(ticket(tasks=(task,))), "10001", ticket(), {}, (task,)
        )
        assert local_change is not None
        assert (local_change.name, local_change.writes) == ("AB-1", 1)

    def test_a_ticket_with_a_key_is_no_draft_even_if_nothing_is_known_of_it(self) -> None:
        local = in_file(ticket(tasks=(Ticket("B"),)))

        assert find_local_change(local, "10001", None) is None
        assert find_local_change(local, None, None) is None

    def test_the_order_of_tasks_and_a_lost_task_are_no_work(self) -> None:
        tasks = Ticket("B", "AB-2"), Ticket("C", "AB-3")
        base = ticket(tasks=tasks)

        assert planned(base, ticket(tasks=tasks[::-1])) is None
        assert planned(base, ticket(tasks=tasks[:1])) is None

    def test_another_wording_of_a_description_is_no_work(self) -> None:
        assert planned(ticket("- one"), ticket("* one")) is None

    def test_a_ticket_is_called_by_its_key(self) -> None:
        local_change = planned(ticket(), ticket(title="B"))

        assert local_change is not None
        assert (local_change.name, local_change.writes) == ("AB-1", 1)

    def test_a_draft_says_what_it_has_values_for(self) -> None:
        draft = Ticket("A", None, "Words.", {"Labels": "ui", "Sprint": ""}, ("a",))

        assert draft_changes(draft) == (
            Change(CorePart.TITLE, "", "A"),
            Change(CorePart.DESCRIPTION, "", "Words."),
            Change(CorePart.CRITERIA, "", "a"),
            Change("Labels", "", "ui"),
        )


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

    def test_a_field_that_jira_has_emptied_has_moved(self) -> None:
        base = ticket(Assignee="Ana")

        assert remote_changes(base, base, ticket()) == {"AB-1": (Change("Assignee", "Ana", ""),)}
        assert remote_changes(base, ticket(), ticket()) == {}
        assert remote_changes(base, ticket(Assignee=""), ticket()) == {}

    def test_a_field_that_was_empty_at_the_last_sync_has_not_moved(self) -> None:
        assert remote_changes(ticket(Assignee=""), ticket(Assignee="Ana"), ticket()) == {}

    def test_an_issue_that_does_not_stand_here_is_not_looked_at(self) -> None:
        base = ticket(tasks=(Ticket("B", "AB-2"),))
        remote = ticket(tasks=(Ticket("C", "AB-2"), Ticket("D", "AB-3")))

        assert remote_changes(base, ticket(), remote) == {}
        assert remote_changes(base, base, remote) == {"AB-2": (Change(CorePart.TITLE, "B", "C"),)}


class TestPushed:
    """What is true once edits have been sent."""

    @given(versions)
    def test_nothing_is_sent_that_jira_has_already(self, three: Versions) -> None:
        local_change = planned(three.base, three.local)

        for key, edits in (local_change.edits if local_change else {}).items():
            assert still_to_send(edits, by_key(three.base)[key]) == edits
            assert still_to_send(edits, by_key(three.local)[key]) == ()

    def test_of_some_edits_those_are_sent_that_jira_has_not(self) -> None:
        title, labels = Change(CorePart.TITLE, "A", "B"), Change("Labels", "ui", "")

        assert still_to_send((title, labels), ticket(title="B", Labels="ui")) == (labels,)
        assert still_to_send((title, labels), ticket(Labels="web")) == (title, labels)
        assert still_to_send((title, labels), ticket()) == (title,)

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

    def test_an_emptied_field_is_known_to_be_empty(self) -> None:
        local = ticket(Labels="")

        base = add_to_base(ticket(Labels="ui"), "AB-1", (Change("Labels", "ui", ""),))

        assert planned(base, local) is None
        assert remote_changes(base, local, ticket()) == {}
