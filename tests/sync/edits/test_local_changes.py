from __future__ import annotations

from dataclasses import replace

from fakes.ticket_versions import Versions, versions
from hypothesis import given, settings

from ticketr.sync.compare.diff import Change, Own, alike, by_key, changes, parts
from ticketr.sync.edits.local_changes import Work, moved, new_parts, plan, pushed, still_to_send
from ticketr.sync.workspace.store import LocalTicket
from ticketr.tickets import Ticket, render_ticket

thorough = settings(max_examples=100, deadline=None)


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


def planned(base: Ticket, local: Ticket) -> Work | None:
    return plan(in_file(local), "10001", base)


def without_drafts(issue: Ticket) -> Ticket:
    return replace(issue, tasks=tuple(task for task in issue.tasks if task.key))


def all_pushed(base: Ticket, local: Ticket) -> Ticket:
    work = planned(base, local)
    for key, edits in (work.edits if work else {}).items():
        base = pushed(base, key, edits)
    return base


class TestPlan:
    """What a push is to do."""

    @thorough
    @given(versions)
    def test_after_everything_is_pushed_only_drafts_and_strays_are_left(
        self, three: Versions
    ) -> None:
        base = all_pushed(three.base, three.local)

        again = planned(base, three.local)
        assert again is None or (not again.edits and (again.drafts or again.strays))

        again = planned(base, without_drafts(three.local))
        assert again is None or again.strays

    @thorough
    @given(versions)
    def test_each_edit_is_of_an_issue_that_was_there_and_each_draft_is_listed(
        self, three: Versions
    ) -> None:
        work = planned(three.base, three.local)

        here, before = by_key(three.local), by_key(three.base)
        edits = {key: changes(before[key], issue) for key, issue in here.items() if key in before}
        assert (work.edits if work else {}) == {key: some for key, some in edits.items() if some}
        drafts = tuple(task for task in three.local.tasks if task.key is None)
        assert (work.drafts if work else ()) == drafts
        if work is not None:
            assert set(work.strays) == here.keys() - before.keys()
            assert work.writes == len(work.edits) + len(drafts)

    @thorough
    @given(versions)
    def test_an_untouched_ticket_is_no_work(self, three: Versions) -> None:
        assert planned(three.base, three.base) is None

    def test_a_draft_is_created_with_its_tasks(self) -> None:
        task, keyed = Ticket("B"), Ticket("C", "AB-3")
        draft = Ticket("A", tasks=(task, keyed))

        work = plan(in_file(draft), None, None)

        assert work == Work(in_file(draft), None, None, {}, (task,), ("AB-3",))
        assert work is not None
        assert (work.name, work.writes) == ('draft "A"', 2)

    def test_a_draft_below_an_untouched_ticket_is_work(self) -> None:
        task = Ticket("B")

        work = planned(ticket(), ticket(tasks=(task,)))

        assert work == Work(in_file(ticket(tasks=(task,))), "10001", ticket(), {}, (task,))
        assert work is not None
        assert (work.name, work.writes) == ("AB-1", 1)

    def test_a_ticket_with_a_key_is_no_draft_even_if_nothing_is_known_of_it(self) -> None:
        local = in_file(ticket(tasks=(Ticket("B"),)))

        assert plan(local, "10001", None) is None
        assert plan(local, None, None) is None

    def test_the_order_of_tasks_and_a_lost_task_are_no_work(self) -> None:
        tasks = Ticket("B", "AB-2"), Ticket("C", "AB-3")
        base = ticket(tasks=tasks)

        assert planned(base, ticket(tasks=tasks[::-1])) is None
        assert planned(base, ticket(tasks=tasks[:1])) is None

    def test_another_wording_of_a_description_is_no_work(self) -> None:
        assert planned(ticket("- one"), ticket("* one")) is None

    def test_a_ticket_is_called_by_its_key(self) -> None:
        work = planned(ticket(), ticket(title="B"))

        assert work is not None
        assert (work.name, work.writes) == ("AB-1", 1)

    def test_a_draft_says_what_it_has_values_for(self) -> None:
        draft = Ticket("A", None, "Words.", {"Labels": "ui", "Sprint": ""}, ("a",))

        assert new_parts(draft) == (
            Change(Own.TITLE, "", "A"),
            Change(Own.DESCRIPTION, "", "Words."),
            Change(Own.CRITERIA, "", "a"),
            Change("Labels", "", "ui"),
        )


class TestMoved:
    """Whether Jira has changed since the last sync."""

    @thorough
    @given(versions)
    def test_nothing_has_moved_if_jira_is_as_it_was(self, three: Versions) -> None:
        assert moved(three.base, three.local, three.base) == {}

    @thorough
    @given(versions)
    def test_nothing_has_moved_that_stands_here_as_well(self, three: Versions) -> None:
        assert moved(three.base, three.remote, three.remote) == {}

    @thorough
    @given(versions)
    def test_every_part_that_jira_changed_and_the_file_has_not_is_named(
        self, three: Versions
    ) -> None:
        found = {
            (key, each.part): (each.old, each.new)
            for key, some in moved(three.base, three.base, three.remote).items()
            for each in some
        }

        old, new = by_key(three.base), by_key(three.remote)
        expected = {}
        for key in old.keys() & new.keys():
            before, now = parts(old[key]), parts(new[key])
            for part in before.keys() | now.keys():
                pair = before.get(part, ""), now.get(part, "")
                if not alike(part, *pair):
                    expected[key, part] = pair
        assert found == expected

    def test_a_field_that_jira_has_emptied_has_moved(self) -> None:
        base = ticket(Assignee="Ana")

        assert moved(base, base, ticket()) == {"AB-1": (Change("Assignee", "Ana", ""),)}
        assert moved(base, ticket(), ticket()) == {}
        assert moved(base, ticket(Assignee=""), ticket()) == {}

    def test_a_field_that_was_empty_at_the_last_sync_has_not_moved(self) -> None:
        assert moved(ticket(Assignee=""), ticket(Assignee="Ana"), ticket()) == {}

    def test_an_issue_that_does_not_stand_here_is_not_looked_at(self) -> None:
        base = ticket(tasks=(Ticket("B", "AB-2"),))
        remote = ticket(tasks=(Ticket("C", "AB-2"), Ticket("D", "AB-3")))

        assert moved(base, ticket(), remote) == {}
        assert moved(base, base, remote) == {"AB-2": (Change(Own.TITLE, "B", "C"),)}


class TestPushed:
    """What is true once edits have been sent."""

    @thorough
    @given(versions)
    def test_nothing_is_sent_that_jira_has_already(self, three: Versions) -> None:
        work = planned(three.base, three.local)

        for key, edits in (work.edits if work else {}).items():
            assert still_to_send(edits, by_key(three.base)[key]) == edits
            assert still_to_send(edits, by_key(three.local)[key]) == ()

    def test_of_some_edits_those_are_sent_that_jira_has_not(self) -> None:
        title, labels = Change(Own.TITLE, "A", "B"), Change("Labels", "ui", "")

        assert still_to_send((title, labels), ticket(title="B", Labels="ui")) == (labels,)
        assert still_to_send((title, labels), ticket(Labels="web")) == (title, labels)
        assert still_to_send((title, labels), ticket()) == (title,)

    @thorough
    @given(versions)
    def test_the_base_changes_by_what_was_sent_and_no_more(self, three: Versions) -> None:
        work = planned(three.base, three.local)

        for key, edits in (work.edits if work else {}).items():
            sent = edits[-1:]
            base = pushed(three.base, key, sent)
            assert [each.key for each in base.tasks] == [each.key for each in three.base.tasks]
            for other, issue in by_key(base).items():
                before = parts(by_key(three.base)[other])
                if other == key:
                    before = before | {sent[0].part: sent[0].new}
                assert parts(issue) == before

    def test_an_emptied_field_is_known_to_be_empty(self) -> None:
        local = ticket(Labels="")

        base = pushed(ticket(Labels="ui"), "AB-1", (Change("Labels", "ui", ""),))

        assert planned(base, local) is None
        assert moved(base, local, ticket()) == {}
