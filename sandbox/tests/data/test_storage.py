"""Changes of a site, and the file that keeps them."""

from __future__ import annotations

import pickle
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from sandbox_client import NOW, demo_site

from jira_sandbox import DataFailed, OtherSeed, Site, SiteFile, open_site
from jira_sandbox.content.seed import make_issues, make_site
from jira_sandbox.data import catalogue
from jira_sandbox.data.catalogue import DEMO, STORY
from jira_sandbox.data.changes import Counters, SiteChange
from jira_sandbox.data.issue import Issue
from jira_sandbox.data.model import to_millis
from jira_sandbox.data.parts import (
    Attachment,
    Comment,
    History,
    HistoryItem,
    Link,
    RemoteLink,
    Worklog,
)


def opened(file: SiteFile, **options: Any) -> Site:
    return open_site(file, clock=lambda: NOW, **options)


def state(site: Site) -> object:
    return list(site), site.counters


def test_a_stored_site_equals_the_generated_one(tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        first = opened(file, tickets=300, seed=4)
    with SiteFile(tmp_path / "a.db") as file:
        again = opened(file)

    assert state(first) == state(again) == state(demo_site(300, seed=4))


EVERYTHING = Issue(
    id=10_007,
    number=7,
    project=catalogue.BLANK,
    type=catalogue.SUBTASK,
    status=catalogue.DONE,
    priority=catalogue.PRIORITIES[0],
    summary="Zoë \U0001f937 \ud800 lone",
    description={"type": "doc", "version": 1, "content": [{"type": "rule"}]},
    reporter=catalogue.USERS[1],
    created=1,
    updated=2,
    assignee=catalogue.USERS[2],
    parent=10_003,
    resolved=3,
    due=date(2026, 2, 28),
    labels=("a", "b"),
    components=catalogue.COMPONENTS[:2],
    fix_versions=catalogue.VERSIONS[1:],
    story_points=0.5,
    sprints=catalogue.SPRINTS[2:4],
    platform=catalogue.PLATFORMS[1],
    release_note="One line",
    reviewer=catalogue.USERS[3],
    ready=5,
    creator=catalogue.USERS[4],
    moved=4,
    resolution=catalogue.RESOLUTIONS[1],
    properties={"marker": {"deep": [1, None, 2**70, 0.1]}, "": "empty"},
    values={"customfield_10103": 1.5, "versions": [10000]},
    original_estimate=7200,
    remaining_estimate=3600,
    comments=(
        Comment(10_001, catalogue.USERS[1], {"type": "doc"}, 1, 2),
        Comment(
            10_002,
            catalogue.USERS[2],
            {"type": "doc", "content": []},
            3,
            4,
            editor=catalogue.USERS[3],
            visibility={"type": "role", "value": "Administrators"},
            properties={"k": [1]},
        ),
    ),
    worklogs=(
        Worklog(10_003, catalogue.USERS[1], 60, 1, 2, 3),
        Worklog(
            10_004, catalogue.USERS[1], 60, 1, 2, 3, {"type": "doc"}, catalogue.USERS[2], {"x": 1}
        ),
    ),
    attachments=(Attachment(10_005, catalogue.USERS[1], "ä.png", "image/png", 3, 4),),
    links=(Link(10_006, catalogue.LINK_TYPES[0], 10_007, 10_008),),
    remote_links=(RemoteLink(10_007, {"object": {"url": "http://x"}}),),
    history=(
        History(
            1,
            catalogue.USERS[1],
            5,
            (HistoryItem("status", "status", "1", "To Do", None, None),),
        ),
    ),
    watchers=(catalogue.USERS[1],),
    voters=(catalogue.USERS[2], catalogue.USERS[1]),
    rank=1.5,
)
SPARSE = Issue(
    id=10_008,
    number=8,
    project=catalogue.DEMO,
    type=catalogue.STORY,
    status=catalogue.TO_DO,
    priority=catalogue.MEDIUM,
    summary="",
    description=None,
    reporter=catalogue.DEMO_USER,
    created=0,
    updated=0,
)


def test_the_example_has_every_attribute_that_an_issue_can_have() -> None:
    for field in fields(Issue):
        usual = field.default_factory() if field.default_factory is not MISSING else field.default
        assert getattr(EVERYTHING, field.name) != usual, field.name


@pytest.mark.parametrize("issue", [EVERYTHING, SPARSE], ids=["everything", "sparse"])
def test_an_issue_survives_with_all_that_it_has_or_has_not(issue: Issue, tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        opened(file, tickets=0).put(issue)
    with SiteFile(tmp_path / "a.db") as file:
        again = opened(file).get(issue.id)

    assert again == issue


def test_neither_an_id_nor_a_key_is_used_again_after_the_last_issue_was_deleted(
    tmp_path: Path,
) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        opened(file, tickets=3).delete("DEMO-3")
    with SiteFile(tmp_path / "a.db") as file:
        made = opened(file).create(project=catalogue.DEMO, type=catalogue.TASK, summary="New")

    assert (made.id, made.key) == (10_004, "DEMO-4")


def test_a_new_time_zone_of_the_user_applies_to_stored_issues(tmp_path: Path) -> None:
    from jira_sandbox import user_in

    moved = user_in("Etc/GMT+3")
    with SiteFile(tmp_path / "a.db") as file:
        opened(file, tickets=0).put(SPARSE)
    with SiteFile(tmp_path / "a.db", [moved]) as file:
        again = opened(file, user=moved).get(SPARSE.id)

    assert again is not None
    assert again.reporter is moved
    assert moved.utc_offset.total_seconds() == -3 * 3600


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(("create", "edit", "move", "delete", "set", "unset")),
        st.integers(0, 30),
        st.text(max_size=5),
    ),
    max_size=15,
)


def act(site: Site, action: str, number: int, text: str) -> None:
    """Apply one operation to a site; skip one that is not possible."""
    if action == "create":
        parent = next(iter(site), None)
        site.create(
            project=catalogue.DEMO,
            type=catalogue.SUBTASK,
            summary=text,
            parent=parent.id if parent is not None else None,
            labels=(text,),
        )
        return
    there = list(site)
    if not there:
        return
    key = there[number % len(there)].key
    match action:
        case "edit":
            site.edit(key, summary=text, due=date(2026, 1, 1), assignee=None)
        case "move":
            site.transition(key, catalogue.STATUSES[number % 4])
        case "delete":
            site.delete(key)
        case "set":
            site.set_property(key, text, {"value": number})
        case "unset":
            site.remove_property(key, text)


@settings(max_examples=settings().max_examples // 3)  # each takes long
@given(actions=ACTIONS)
def test_after_each_change_the_files_on_disk_hold_all_of_it(
    actions: list[tuple[str, int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("site")
    with SiteFile(folder / "a.db") as file:
        site = opened(file, tickets=8)
        for count, action in enumerate(actions):
            act(site, *action)
            copy = folder / f"{count}.db"  # the file after a kill at this moment
            shutil.copyfile(folder / "a.db", copy)
            shutil.copyfile(folder / "a.db-wal", f"{copy}-wal")
            with SiteFile(copy) as killed:
                assert state(opened(killed)) == state(site)


def test_a_change_that_cannot_be_written_is_not_made(tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        site = opened(file, tickets=5)
        before, revision = state(site), site.revision
        pages = file._db.execute("PRAGMA page_count").fetchone()[0]
        file._db.execute(f"PRAGMA max_page_count = {pages}")  # like a full disk

        with pytest.raises(DataFailed, match=r"a\.db cannot be used: database or disk is full"):
            site.edit("DEMO-2", release_note="x" * 100_000)
        full = state(site), site.revision
        file._db.execute("PRAGMA max_page_count = 100000")
        site.edit("DEMO-2", release_note="there is room again")
        after = state(site)
    with SiteFile(tmp_path / "a.db") as file:
        again = opened(file)

    assert full == (before, revision)
    assert state(again) == after


def test_an_interrupted_creation_of_a_site_is_repeated(tmp_path: Path) -> None:
    def broken() -> Iterator[Issue]:
        yield from make_issues(tickets=5, seed=1)
        raise RuntimeError("killed")

    with SiteFile(tmp_path / "a.db") as file:
        with pytest.raises(RuntimeError, match="killed"):
            file.create(broken(), {"tickets": "5"})
        assert not file.has_site
        assert len(opened(file, tickets=2)) == 2


def test_options_of_a_stored_site_may_be_left_out_but_not_changed(
    tmp_path: Path,
) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        opened(file, tickets=3, seed=2)
    with SiteFile(tmp_path / "a.db") as file:
        assert len(opened(file)) == len(opened(file, tickets=3, seed=2)) == 3
        for option, value in (("tickets", 4), ("seed", 1)):
            with pytest.raises(OtherSeed, match=f"made with --{option} [32], not {value}"):
                opened(file, **{option: value})


def test_a_file_that_is_open_cannot_be_opened_again(tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        opened(file, tickets=1)
        with pytest.raises(DataFailed, match="another sandbox has it open"):
            SiteFile(tmp_path / "a.db")
    with SiteFile(tmp_path / "a.db") as file:
        assert len(opened(file)) == 1


def other_program(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()


def test_attachments_are_stored_with_their_contents(tmp_path: Path) -> None:
    added = Attachment(10_001, catalogue.DEMO_USER, "a.bin", "application/octet-stream", 3, 1)
    other = Attachment(10_002, catalogue.DEMO_USER, "b.bin", "application/octet-stream", 1, 1)
    with SiteFile(tmp_path / "a.db") as file:
        site = opened(file, tickets=2)
        site.attach("DEMO-1", [(added, b"\0\xffx"), (other, b"y")])
        site.detach("DEMO-1", other.id)
    with SiteFile(tmp_path / "a.db") as file:
        again = opened(file)
        assert again.content(added.id) == b"\0\xffx"
        assert file.load().contents == {10_001: b"\0\xffx"}
        assert again.next_part() == 10_003
        again.delete("DEMO-1")
        assert file.load().contents == {}


def test_a_file_of_the_first_version_is_opened_and_gets_the_new_tables(tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        opened(file, tickets=3)
        file._db.execute("DROP TABLE attachment")
        file._db.execute("PRAGMA user_version = 1")
        file.write_fact("counters", '{"last_id": 10003, "numbers": {"DEMO": 3}}')
        for name in ("comments", "worklogs", "attachments", "links"):
            file._db.execute("UPDATE issue SET record = json_remove(record, ?)", (f"$.{name}",))
    with SiteFile(tmp_path / "a.db") as file:
        site = opened(file)
        assert state(site) == state(demo_site(3))
        assert file.load().contents == {}


def test_a_version_that_is_not_stored_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        opened(file, tickets=0).put(EVERYTHING)
        file._db.execute("INSERT INTO record VALUES ('version', 10001, 'null')")
        with pytest.raises(DataFailed, match="its records cannot be read"):
            file.load()


def newer(path: Path) -> None:
    SiteFile(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.write_text("# TICKET: no database, this\n" * 50), "not a database"),
        (other_program, "it is not the file of a sandbox's site"),
        (newer, "a newer jira-sandbox wrote it"),
        (lambda path: path.mkdir(), "unable to open database file"),
    ],
    ids=["text", "another program's", "newer", "folder"],
)
def test_another_file_is_refused_and_not_changed(make: Any, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""

    with pytest.raises(DataFailed, match=problem):
        SiteFile(path)

    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE issue SET record = '{\"id\": 10001}'",
        "UPDATE issue SET record = replace(record, '\"status\":', '\"state\":')",
        "UPDATE issue SET record = replace(record, '\"type\":1', '\"type\":9')",
        "UPDATE issue SET record = '{'",
        "UPDATE about SET value = '{\"last\": 1}' WHERE name = 'counters'",
    ],
)
def test_unreadable_records_are_an_error_that_names_the_file(change: str, tmp_path: Path) -> None:
    with SiteFile(tmp_path / "a.db") as file:
        opened(file, tickets=3)
        file._db.execute(change)
        with pytest.raises(DataFailed, match=r"a\.db cannot be used: its records cannot be read"):
            file.load()


def test_a_change_of_several_issues_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    unwritable = replace(SPARSE, properties={"key": object()})
    with SiteFile(tmp_path / "a.db") as file:
        site = opened(file, tickets=1)
        with pytest.raises(TypeError):
            file.save(SiteChange(Counters(99, {}), put=(EVERYTHING, unwritable), removed=(10_001,)))

        assert (file.load().issues, file.load().counters) == (list(site), site.counters)


NOW_MILLIS = to_millis(NOW)


def watched(tickets: int = 5) -> tuple[Site, list[SiteChange]]:
    changes: list[SiteChange] = []
    clock = lambda: NOW  # noqa: E731
    return make_site(tickets=tickets, seed=1, clock=clock, on_change=changes.append), changes


def test_a_creation_is_one_change_with_the_counters_after_it() -> None:
    site, changes = watched()
    issue = site.create(project=DEMO, type=STORY, summary="New", properties={"a": 1})

    assert (issue.key, issue.id, issue.status.name) == ("DEMO-6", 10_006, "To Do")
    assert issue.created == issue.updated == NOW_MILLIS
    assert issue.creator == issue.reporter == site.user
    assert changes == [SiteChange(Counters(10_006, {"DEMO": 6}), put=(issue,))]


def test_an_edit_of_an_issue_from_the_future_is_later_still() -> None:
    site, _ = watched()
    site.put(replace(next(iter(site)), updated=NOW_MILLIS + 5_000))

    assert site.edit("DEMO-1", summary="x").updated == NOW_MILLIS + 5_001


def test_replayed_changes_give_the_same_site() -> None:
    site, changes = watched()
    site.create(project=DEMO, type=STORY, summary="New")
    site.edit("DEMO-2", summary="Other")
    site.delete("DEMO-6")
    issues = {issue.id: issue for issue in make_issues(tickets=5, seed=1)}
    kept: list[SiteChange] = pickle.loads(pickle.dumps(changes))
    for change in kept:
        issues.update((issue.id, issue) for issue in change.put)
        for issue_id in change.removed:
            del issues[issue_id]
    again = Site(issues.values(), counters=kept[-1].counters)

    assert list(again) == list(site)
    assert again.create(project=DEMO, type=STORY, summary="Next").key == "DEMO-7"


@pytest.mark.parametrize("name", ["status", "updated", "id", "number", "resolved", "created"])
def test_computed_attributes_cannot_be_given(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        demo_site(1).edit("DEMO-1", **{name: None})  # type: ignore[arg-type]  # what the site computes


def test_a_write_to_an_unknown_issue_is_an_error() -> None:
    with pytest.raises(LookupError, match="DEMO-9"):
        demo_site(1).edit("DEMO-9", summary="x")
