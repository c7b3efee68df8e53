from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sandbox_client import NOW

from jira_sandbox.content.seed import make_site
from jira_sandbox.data.catalogue import DEMO, STORY
from jira_sandbox.data.site import Site


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def summaries(site: Site, *current: int) -> list[str]:
    return [issue.summary[:3] for issue in site.searchable(current).values()]


def lagging(tickets: int = 0) -> tuple[Site, Clock]:
    clock = Clock()
    return make_site(tickets=tickets, seed=1, clock=clock, search_lag=2.5), clock


def test_initial_issues_are_found_at_once() -> None:
    site, _ = lagging(3)

    assert len(site.searchable()) == 3


def test_a_write_is_found_when_the_lag_is_over() -> None:
    site, clock = lagging()
    site.create(project=DEMO, type=STORY, summary="one")
    clock.pass_by(1)
    site.edit("DEMO-1", summary="two")
    clock.pass_by(1)
    site.delete("DEMO-1")
    seen = []
    for step in (0, 0.499, 0.001, 0.999, 0.001, 0.999, 0.001):
        clock.pass_by(step)
        seen.append((site.search_revision, summaries(site)))

    assert seen == [
        (0, []),
        (0, []),
        (1, ["one"]),
        (1, ["one"]),
        (2, ["two"]),
        (2, ["two"]),
        (3, []),
    ]


def test_named_issues_are_found_in_their_present_state() -> None:
    site, _ = lagging()
    one = site.create(project=DEMO, type=STORY, summary="one")
    two = site.create(project=DEMO, type=STORY, summary="two")

    assert summaries(site, two.id) == ["two"]
    assert summaries(site, one.id, two.id, 99) == ["one", "two"]
    assert summaries(site) == []


def test_a_named_issue_that_is_deleted_is_not_found() -> None:
    site, _ = lagging(3)
    site.delete("DEMO-2")

    assert set(site.searchable()) == {10_001, 10_002, 10_003}
    assert set(site.searchable([10_002])) == {10_001, 10_003}


def test_without_a_lag_every_write_is_found_at_once() -> None:
    site = make_site(tickets=1, seed=1)
    before = site.search_revision
    site.edit("DEMO-1", summary="new")

    assert summaries(site) == ["new"]
    assert site.search_revision > before


def test_a_negative_lag_is_an_error() -> None:
    with pytest.raises(ValueError, match="-1"):
        Site(search_lag=-1)
