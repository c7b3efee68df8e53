"""A folder is bound to the site whose tickets it holds, and to none while it holds nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trio
from fakes.pulls import CREDENTIALS, Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import JobFailed
from ticketr.app.sync import OtherSite
from ticketr.app.sync.state.state import State
from ticketr.app.tickets import parse

TICKETS = 12
OTHER = replace(CREDENTIALS, site="http://localhost")
MINE = "# TICKET: [DEMO-1] Mine\n"


@pytest.fixture
def wrong(tmp_path: Path) -> Bench:
    """The site that is asked first, by mistake."""
    return Bench(make_site(tickets=TICKETS, seed=1), tmp_path / "work")


@pytest.fixture
def right(wrong: Bench) -> Bench:
    """Another site, with other tickets of the same keys, and the same folder."""
    return Bench(make_site(tickets=TICKETS, seed=2), wrong.root)


async def comes_from(right: Bench) -> None:
    """Pull from the right site, and see its tickets come."""
    assert (await right.pull(credentials=OTHER)).new == TICKETS
    for key in right.keys():  # noqa: SIM118 - a bench is not a mapping
        assert f"[{key}] {right.finds(key).summary}" in "".join(right.files().values())


async def is_refused(bench: Bench) -> None:
    files = bench.files()
    with pytest.raises(JobFailed) as caught:
        await bench.pull(credentials=OTHER)
    assert isinstance(caught.value.__cause__, OtherSite)
    assert str(caught.value.__cause__) == (
        f"{bench.root} holds tickets of http://127.0.0.1, not of http://localhost: correct the "
        "address, or use another folder for that site; to use this one, first move its tickets "
        "and its .ticketr elsewhere"
    )
    assert (bench.files(), bench.asked) == (files, [])


@pytest.mark.parametrize(
    "mistake",
    [
        {"credentials": replace(CREDENTIALS, token="no")},
        {"credentials": replace(CREDENTIALS, site=f"{CREDENTIALS.site}/nothing/here")},
        {"project": "NOPE"},
        {"jql": "this is not a query"},
        {"fields": ("Nobody's field",)},
    ],
    ids=["401", "404", "no such project", "bad JQL", "no such field"],
)
async def test_a_first_pull_that_failed_leaves_the_folder_free(
    mistake: dict[str, object], wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    with pytest.raises(JobFailed):
        await wrong.pull(**mistake)

    await comes_from(right)


async def test_a_pull_that_found_nothing_leaves_the_folder_free(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    assert (await wrong.pull(jql="summary ~ zzzzzz")).total == 0

    await comes_from(right)


async def test_a_pull_cancelled_before_the_first_ticket_leaves_the_folder_free(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    wrong, right = make_site(tickets=TICKETS, seed=1), make_site(tickets=TICKETS, seed=2)
    for answers in range(20):
        bench = Bench(wrong, tmp_path / str(answers), latency=1.0)
        with trio.move_on_after(answers + 0.5):
            await bench.pull()
        if bench.files():
            break
        await comes_from(Bench(right, bench.root))
    assert answers >= 3  # the login, the list of fields and the search, at least


async def test_a_folder_with_tickets_of_a_site_stays_bound_to_it(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    await wrong.pull(jql="key = DEMO-1")

    await is_refused(right)
    assert (await wrong.pull()).new == TICKETS - 1


async def test_so_does_one_whose_files_are_gone(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    await wrong.pull()
    for path in wrong.root.glob("*.md"):
        path.unlink()

    await is_refused(right)


async def test_so_does_one_with_nothing_but_a_conflict(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    wrong.root.mkdir()
    (wrong.root / "DEMO-1.md").write_text(MINE)
    assert len((await wrong.pull(jql="key = DEMO-1")).conflicts) == 1

    await is_refused(right)


async def test_what_is_moved_away_binds_no_more(
    wrong: Bench, right: Bench, tmp_path: Path, autojump_clock: MockClock
) -> None:
    await wrong.pull()
    wrong.root.rename(tmp_path / "elsewhere")

    await comes_from(right)


async def test_a_file_that_a_killed_pull_left_is_not_taken_for_the_other_sites(
    wrong: Bench, right: Bench, autojump_clock: MockClock
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            await wrong.pull(jql="key = DEMO-1")
    (left,) = wrong.files().values()

    result = await right.pull(credentials=OTHER)

    assert [each.key for each in result.conflicts] == ["DEMO-1"]
    assert wrong.files()["DEMO-1.md"] == left
    assert parse(left).tickets[0].title == wrong.finds("DEMO-1").summary


def killed(*_: object, **__: object) -> None:
    """End as a kill would, with a file written and nothing of it remembered."""
    raise KeyboardInterrupt
