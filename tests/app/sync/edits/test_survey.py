"""What a look at the files and the last sync finds to be pushed, and what it leaves out."""

from __future__ import annotations

import os
import resource
import sqlite3
import tempfile
from contextlib import AbstractContextManager, closing
from dataclasses import replace

import pytest
from fakes.stores import put
from fakes.ticket_versions import Versions, versions
from fakes.unlisted import forbid_folder
from hypothesis import given

from ticketr.app.config import WrongFileKind
from ticketr.app.jira import Issue
from ticketr.app.sync import (
    FileFailed,
    LocalSurvey,
    LocalTicket,
    OtherSite,
    State,
    StateFailed,
    Store,
    TicketChanges,
    read_state,
    readable_database,
    take_survey,
)
from ticketr.app.sync.compare.diff import (
    are_equivalent,
    find_changes,
    issues_by_key,
    part_texts,
    with_parts,
)
from ticketr.app.sync.edits.local_changes import (
    find_local_change,
    new_jira_changes,
    unsent_edits,
)
from ticketr.app.sync.state.state import IssueRow, MergeBase
from ticketr.app.tickets import Ticket, render, render_ticket


def record(state: State, key: str, path: str) -> None:
    number = key.rpartition("-")[2]
    row = IssueRow(Issue(number, key, {}))
    state.record(number, MergeBase(path, f"# TICKET: [{key}] x\n"), [row], seen=0.0)


@pytest.mark.parametrize("broken", ["0.md", "z.md"])
def test_a_broken_file_with_a_key_stops_no_edit_in_another(
    store: Store, state: State, broken: str
) -> None:
    record(state, "DEMO-1", "b.md")
    record(state, "DEMO-3", "b.md")
    put(store, "b.md", "# TICKET: [DEMO-1] mine\n\n# TICKET: [DEMO-3] mine\n")
    put(store, broken, "<<<<<<< HEAD\n# TICKET: [DEMO-1] x\n")

    found = take_survey(store, state)

    assert [each.key_or_title for each in found.local_changes] == ["DEMO-1", "DEMO-3"]
    assert set(found.broken) == {broken}


@pytest.mark.parametrize("broken", ["0.md", "z.md"])
def test_a_copy_of_a_ticket_whose_own_file_is_broken_is_left_out(
    store: Store, state: State, broken: str
) -> None:
    record(state, "DEMO-1", broken)
    record(state, "DEMO-3", broken)
    put(store, "b.md", "# TICKET: [DEMO-1] copy\n\n# TICKET: [DEMO-3] moved\n")
    put(store, broken, "<<<<<<< HEAD\n# TICKET: [DEMO-1] mine\n")

    found = take_survey(store, state)

    assert [each.key_or_title for each in found.local_changes] == ["DEMO-3"]
    assert str(found.broken["b.md"]) == f"DEMO-1 is in {broken} and in b.md; keep one of them"


def test_a_draft_like_a_ticket_in_a_broken_file_is_a_copy(store: Store, state: State) -> None:
    record(state, "DEMO-1", "a.md")
    put(store, "a.md", "# TICKET: x\n")
    found = take_survey(store, state)
    assert (set(found.broken), found.last_paths_by_missing_key(state)) == (
        {"a.md"},
        {},
    )  # its key seems to be lost

    put(store, "b.md", "# TICKET: [DEMO-1] x\n<<<<<<< HEAD\n")

    found = take_survey(store, state)
    assert set(found.broken) == {"b.md"}
    assert [each.key_or_title for each in found.local_changes] == ['draft "x"']


def test_a_folder_that_cannot_be_listed_is_named_and_its_tickets_are_not_missing(
    store: Store, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state, "DEMO-1", "sprint/a.md")
    put(store, "sprint/a.md", "# TICKET: [DEMO-1] x\n")
    forbid_folder(monkeypatch, store.root / "sprint")

    found = take_survey(store, state)

    assert (found.last_paths_by_missing_key(state), set(found.broken)) == ({}, {"sprint"})


def enter(context: AbstractContextManager[object]) -> None:
    with context:
        pass


def test_a_state_that_cannot_be_read_is_nothing_that_is_wrong_with_a_file(
    store: Store, state: State
) -> None:
    path = put(store, "a.md", render([Ticket(title="A", key="DEMO-1")]))
    with closing(sqlite3.connect(store.state_path)) as damage:
        damage.execute("DROP TABLE ticket")

    with pytest.raises(StateFailed):
        LocalSurvey().scan_file(store, state, store.relative_path(path))


def test_where_nothing_can_be_written_a_copy_is_read(
    store: Store, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is in the write-ahead log still, and so is the next.
    state.site_record.set_site_and_read_fields("https://jira.test", "Ada", now=0.0, max_age=0.0)
    state.record("1", MergeBase("a.md", "# TICKET: [DEMO-1] A\n"), [], seen=1.0)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere

    with readable_database(store.state_path) as path, read_state(store) as copied:
        assert path is not None
        assert not path.is_relative_to(store.root)
        with pytest.raises(OtherSite, match=r"jira\.test"):
            copied.site_record.check_site(store.root, "https://another.test")
    assert not path.exists()


def test_a_state_that_cannot_be_copied_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.state_path.write_bytes(b"some")
    monkeypatch.setattr(os, "access", lambda *_: False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))  # as a full disk does
    try:
        with pytest.raises(FileFailed, match=r"cannot read .*state\.db: File too large"):
            enter(read_state(store))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_state_is_told_that_nothing_can_be_copied_to(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.state_path.write_bytes(b"some")
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(tempfile, "tempdir", str(store.root / "gone"))

    with pytest.raises(
        FileFailed, match=r"cannot read .*state\.db: No such file or directory; .* TMPDIR"
    ):
        enter(read_state(store))


def test_a_folder_in_the_place_of_a_state_is_told(store: Store) -> None:
    store.state_path.mkdir()

    with pytest.raises(
        WrongFileKind, match=r"state\.db is a folder and not a file of ticketr's own"
    ):
        enter(read_state(store))


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


def planned(base: Ticket, local: Ticket) -> TicketChanges | None:
    return find_local_change(in_file(local), "10001", base)


def without_drafts(issue: Ticket) -> Ticket:
    return replace(issue, tasks=tuple(task for task in issue.tasks if task.key))


def all_pushed(base: Ticket, local: Ticket) -> Ticket:
    local_change = planned(base, local)
    for key, edits in (local_change.edits if local_change else {}).items():
        base = with_parts(base, key, {edit.part: edit.new for edit in edits})
    return base


class TestPlan:
    """What a push is to do."""

    @given(versions)
    def test_after_everything_is_pushed_only_drafts_and_strays_are_left(
        self, three: Versions
    ) -> None:
        base = all_pushed(three.base, three.local)

        again = planned(base, three.local)
        assert again is None or (not again.edits and (again.new_tasks or again.added_task_keys))

        again = planned(base, without_drafts(three.local))
        assert again is None or again.added_task_keys

    @given(versions)
    def test_each_edit_is_of_an_issue_that_was_there_and_each_draft_is_listed(
        self, three: Versions
    ) -> None:
        local_change = planned(three.base, three.local)

        here, before = issues_by_key(three.local), issues_by_key(three.base)
        edits = {
            key: find_changes(before[key], issue) for key, issue in here.items() if key in before
        }
        assert (local_change.edits if local_change else {}) == {
            key: some for key, some in edits.items() if some
        }
        drafts = tuple(task for task in three.local.tasks if task.key is None)
        assert (local_change.new_tasks if local_change else ()) == drafts
        if local_change is not None:
            assert set(local_change.added_task_keys) == here.keys() - before.keys()
            assert len(local_change.edits_and_drafts()) == len(local_change.edits) + len(drafts)

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
        assert new_jira_changes(three.base, three.local, three.base) == {}

    @given(versions)
    def test_nothing_has_moved_that_stands_here_as_well(self, three: Versions) -> None:
        assert new_jira_changes(three.base, three.remote, three.remote) == {}

    @given(versions)
    def test_every_part_that_jira_changed_and_the_file_has_not_is_named(
        self, three: Versions
    ) -> None:
        found = {
            (key, each.part): (each.old, each.new)
            for key, some in new_jira_changes(three.base, three.base, three.remote).items()
            for each in some
        }

        old, new = issues_by_key(three.base), issues_by_key(three.remote)
        expected = {}
        for key in old.keys() & new.keys():
            before, now = part_texts(old[key]), part_texts(new[key])
            for part in before.keys() | now.keys():
                pair = before.get(part, ""), now.get(part, "")
                if not are_equivalent(part, *pair):
                    expected[key, part] = pair
        assert found == expected


class TestPushed:
    """What is true once edits have been sent."""

    @given(versions)
    def test_nothing_is_sent_that_jira_has_already(self, three: Versions) -> None:
        local_change = planned(three.base, three.local)

        for key, edits in (local_change.edits if local_change else {}).items():
            assert unsent_edits(edits, issues_by_key(three.base)[key]) == edits
            assert unsent_edits(edits, issues_by_key(three.local)[key]) == ()

    @given(versions)
    def test_the_base_changes_by_what_was_sent_and_no_more(self, three: Versions) -> None:
        local_change = planned(three.base, three.local)

        for key, edits in (local_change.edits if local_change else {}).items():
            sent = edits[-1:]
            base = with_parts(three.base, key, {sent[0].part: sent[0].new})
            assert [each.key for each in base.tasks] == [each.key for each in three.base.tasks]
            for other, issue in issues_by_key(base).items():
                before = part_texts(issues_by_key(three.base)[other])
                if other == key:
                    before = before | {sent[0].part: sent[0].new}
                assert part_texts(issue) == before
