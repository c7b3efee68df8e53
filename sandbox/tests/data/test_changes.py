from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace

import pytest
from sandbox_client import NOW, demo_site

from jira_sandbox.content.seed import make_issues, make_site
from jira_sandbox.data.catalogue import BLANK, DEMO, DONE, EPIC, IN_PROGRESS, STORY, SUBTASK
from jira_sandbox.data.changes import Counters, SiteChange
from jira_sandbox.data.issue import Issue
from jira_sandbox.data.model import to_millis
from jira_sandbox.data.site import Site

NOW_MILLIS = to_millis(NOW)


def watched(tickets: int = 5) -> tuple[Site, list[SiteChange]]:
    changes: list[SiteChange] = []
    clock = lambda: NOW  # noqa: E731
    return make_site(tickets=tickets, seed=1, clock=clock, on_change=changes.append), changes


def test_a_seeded_site_begins_without_changes() -> None:
    site, changes = watched()

    assert changes == []
    assert site.counters == Counters(10_005, {"DEMO": 5})


def test_a_creation_is_one_change_with_the_counters_after_it() -> None:
    site, changes = watched()
    issue = site.create(project=DEMO, type=STORY, summary="New", properties={"a": 1})

    assert (issue.key, issue.id, issue.status.name) == ("DEMO-6", 10_006, "To Do")
    assert issue.created == issue.updated == NOW_MILLIS
    assert issue.creator == issue.reporter == site.user
    assert changes == [SiteChange(Counters(10_006, {"DEMO": 6}), put=(issue,))]


def test_neither_a_number_nor_an_id_is_used_again() -> None:
    site, changes = watched()
    site.delete(site.create(project=DEMO, type=STORY, summary="One").key)
    blank = site.create(project=BLANK, type=STORY, summary="Other project")
    again = site.create(project=DEMO, type=STORY, summary="Two")

    assert (blank.key, blank.id) == ("BLANK-1", 10_007)
    assert (again.key, again.id) == ("DEMO-7", 10_008)
    assert changes[1].removed == (10_006,)


def test_every_edit_moves_updated_and_revision_though_the_clock_stands_still() -> None:
    site, changes = watched()
    issue = site.create(project=DEMO, type=STORY, summary="New")
    moments, revisions = [issue.updated], [site.revision]
    acts: tuple[Callable[[], Issue], ...] = (
        lambda: site.edit("DEMO-6", summary="Newer"),
        lambda: site.edit("DEMO-6", summary="Newer"),
        lambda: site.transition("demo-6", IN_PROGRESS),
        lambda: site.set_property("10006", "key", [1]),
        lambda: site.remove_property("DEMO-6", "key"),
    )
    for act in acts:
        moments.append(act().updated)
        revisions.append(site.revision)

    assert moments == [NOW_MILLIS + number for number in range(6)]
    assert revisions == sorted(set(revisions))
    assert len(changes) == 6


def test_an_edit_of_an_issue_from_the_future_is_later_still() -> None:
    site, _ = watched()
    site.put(replace(next(iter(site)), updated=NOW_MILLIS + 5_000))

    assert site.edit("DEMO-1", summary="x").updated == NOW_MILLIS + 5_001


def test_a_transition_to_done_resolves_and_one_back_does_not() -> None:
    site, _ = watched()
    site.create(project=DEMO, type=STORY, summary="New")
    done = site.transition("DEMO-6", DONE)
    still = site.transition("DEMO-6", DONE)
    back = site.transition("DEMO-6", IN_PROGRESS)

    assert done.resolved == done.moved == done.updated
    assert (still.resolved, still.moved) == (done.resolved, done.moved)
    assert back.resolved is None
    assert back.moved == back.updated


def test_a_delete_takes_sub_tasks_along_and_makes_orphans_of_the_rest() -> None:
    site, changes = watched(0)
    epic = site.create(project=DEMO, type=EPIC, summary="Epic")
    story = site.create(project=DEMO, type=STORY, summary="Story", parent=epic.id)
    task = site.create(project=DEMO, type=SUBTASK, summary="Task", parent=story.id)
    site.delete(epic.key)
    orphan = site.find(story.key)

    assert orphan is not None
    assert orphan.parent is None
    assert changes[-1] == SiteChange(site.counters, put=(orphan,), removed=(epic.id,))
    assert site.delete(story.key) == (orphan, task)
    assert len(site) == 0
    assert site.find(task.key) is None


def test_a_change_that_cannot_be_stored_is_not_made() -> None:
    def refuse(_: SiteChange) -> None:
        raise OSError("the disk is full")

    site = Site(make_issues(tickets=3, seed=1), on_change=refuse)
    before, counters = list(site), site.counters
    for act in (
        lambda: site.create(project=DEMO, type=STORY, summary="x"),
        lambda: site.edit("DEMO-1", summary="x"),
        lambda: site.delete("DEMO-1"),
    ):
        with pytest.raises(OSError, match="full"):
            act()

    assert list(site) == before
    assert (site.counters, site.revision) == (counters, 0)


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
