"""A status that several transitions lead to: found, shown, walked, and stopped on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from fakes.lossy import Answering, Lossy
from fakes.pulls import Bench

from jira_sandbox import create_app
from jira_sandbox.data.catalogue import BUG, DONE, IN_PROGRESS, IN_REVIEW, TO_DO
from ticketr.app.sync import Code
from ticketr.app.sync.edits.push_plan import find_status_route, unexplored_statuses

MOVE = ("POST", "issue/DEMO-1/transitions")


@pytest.fixture
def ways(bench: Bench) -> Bench:
    """Return a site with other tickets of DEMO-1's type on the way to Done."""
    kind = bench.finds("DEMO-1").type
    for status in (IN_PROGRESS, IN_REVIEW):
        made = bench.site.create(project=bench.finds("DEMO-1").project, type=kind, summary="Other")
        bench.site.transition(made.key, status)
    return bench


def failing_at(bench: Bench, number: int, happens: Callable[[], object]) -> Lossy:
    """Return a way to the site where something happens before a transition of DEMO-1."""
    seen: list[str] = []

    def before(method: str, at: str) -> None:
        if (method, at) == MOVE:
            seen.append(at)
            if len(seen) == number:
                happens()

    return Lossy(create_app(bench.site), lambda *_: None, before=before)


async def test_a_status_several_transitions_away_is_reached(ways: Bench) -> None:
    await ways.pull()
    ways.edits("DEMO-1", "Status: To Do", "Status: Done")

    planned = await ways.push(dry_run=True)
    assert ways.writes == []
    result = await ways.push()

    (action,) = planned.planned
    assert action.statuses_between == ("In Progress", "In Review")
    assert action.route == "To Do > In Progress > In Review > Done (3 transitions)"
    assert (result.updated, result.failed) == (("DEMO-1",), ())
    assert ways.writes == ["POST issue/DEMO-1/transitions"] * 3
    assert ways.finds("DEMO-1").status == DONE
    assert (await ways.push()).total == 0


async def test_what_was_learnt_is_in_the_next_plan(ways: Bench) -> None:
    await ways.pull()
    ways.edits("DEMO-1", "Status: To Do", "Status: Done")
    shown = ways.plan()

    (left,) = (await ways.push(confirmed=shown)).left_alone

    assert ways.finds("DEMO-1").status == TO_DO
    assert (shown.entries[0].statuses_between, shown.entries[0].route) == ((), "")
    assert left.code is Code.NOT_IN_PLAN
    assert left.reason == (
        "the plan did not show the way to its status: "
        "To Do > In Progress > In Review > Done (3 transitions); push again to confirm it"
    )
    again = ways.plan()
    assert again.entries[0].route == "To Do > In Progress > In Review > Done (3 transitions)"
    assert (await ways.push(confirmed=again)).updated == ("DEMO-1",)
    assert ways.finds("DEMO-1").status == DONE


async def test_a_workflow_is_asked_for_once_for_all_tickets_of_a_type(ways: Bench) -> None:
    kind, project = ways.finds("DEMO-1").type, ways.finds("DEMO-1").project
    keys = [ways.site.create(project=project, type=kind, summary=f"N {n}").key for n in range(4)]
    await ways.pull()
    for key in ("DEMO-1", *keys):
        path = ways.root / f"{key}.md"
        path.write_text(path.read_text().replace("Status: To Do", "Status: Done"))

    await ways.push(dry_run=True)

    searches = [each for each in ways.asked if each.startswith("search/jql")]
    assert len(searches) == 2  # one issue each in In Progress and In Review


async def test_a_ticket_of_another_type_with_the_same_statuses_tells_the_way_too(
    bench: Bench,
) -> None:
    first = bench.finds("DEMO-1")
    for status in (IN_PROGRESS, IN_REVIEW):
        made = bench.site.create(project=first.project, type=BUG, summary="Other")
        bench.site.transition(made.key, status)
    await bench.pull()
    bench.edits("DEMO-1", "Status: To Do", "Status: Done")

    assert first.type != BUG
    assert (await bench.push()).updated == ("DEMO-1",)
    assert bench.finds("DEMO-1").status == DONE


async def test_a_site_that_refuses_the_search_is_an_unknown_way(ways: Bench) -> None:
    await ways.pull()
    ways.edits("DEMO-1", "Status: To Do", "Status: Done")

    (note,) = (await ways.push(transport=Answering(ways, "POST search/jql", 400))).failed

    assert note.code is Code.NO_TRANSITION


async def test_a_failure_on_the_way_leaves_it_there_and_the_next_push_goes_on(ways: Bench) -> None:
    await ways.pull()
    ways.edits("DEMO-1", "Status: To Do", "Status: Done")
    ways.edits("DEMO-1", "Priority: Low", "Priority: High")

    def lose(method: str, at: str) -> str | None:
        sent.extend([at] if (method, at) == MOVE else [])
        return "request" if (method, at) == MOVE and len(sent) == 2 else None

    sent: list[str] = []
    result = await ways.push(transport=Lossy(create_app(ways.site), lose))

    (note,) = result.failed
    assert note.code is Code.REQUEST_FAILED
    assert note.reason.startswith(
        'Priority was sent, but not the rest: it is in "In Progress" now, and not yet in "Done"; '
        "the next push goes on from there: "
    )
    assert (result.updated, result.conflicts) == (("DEMO-1",), ())
    assert ways.finds("DEMO-1").status == IN_PROGRESS
    (entry,) = ways.plan().entries
    assert [(each.name, each.old, each.new) for each in entry.changes] == [
        ("Status", "In Progress", "Done")
    ]
    assert entry.statuses_between == ("In Review",)
    assert (await ways.push()).updated == ("DEMO-1",)
    assert ways.finds("DEMO-1").status == DONE


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_cancel_on_the_way_is_no_conflict_afterwards(ways: Bench, number: int) -> None:
    await ways.pull()
    ways.edits("DEMO-1", "Status: To Do", "Status: Done")
    ways.latency = 1.0
    with trio.CancelScope() as scope:
        await ways.push(transport=failing_at(ways, number, scope.cancel))
    ways.latency = 0.0

    result = await ways.push()

    assert (result.conflicts, result.failed) == ((), ())
    assert ways.finds("DEMO-1").status == DONE
    assert "Status: Done\n" in (ways.root / "DEMO-1.md").read_text()


NEW = "# TICKET: {1}\n\n## Fields\nType: {0}\nStatus: Done\n"
WAY = "To Do > In Progress > In Review > Done (3 transitions)"


async def test_the_status_of_a_new_ticket_is_reached_by_several_transitions(ways: Bench) -> None:
    await ways.pull()
    (ways.root / "new.md").write_text(NEW.format(ways.finds("DEMO-1").type.name, "New"))

    result = await ways.push()

    (key,) = result.created
    assert result.failed == ()
    assert ways.finds(key).status == DONE
    assert ways.writes == ["POST issue", *[f"POST issue/{key}/transitions"] * 3]
    assert (await ways.push()).total == 0


async def test_a_new_ticket_whose_way_was_not_shown_stays_in_its_first_status(ways: Bench) -> None:
    await ways.pull()
    (ways.root / "new.md").write_text(NEW.format(ways.finds("DEMO-1").type.name, "New"))

    result = await ways.push(confirmed=ways.plan())

    (key,), (left,) = result.created, result.left_alone
    assert ways.finds(key).status == TO_DO
    assert left.key == key
    assert (
        left.reason
        == f"the plan did not show the way to its status: {WAY}; push again to confirm it"
    )
    (entry,) = ways.plan().entries
    assert (entry.key, entry.route) == (key, WAY)
    assert (await ways.push(confirmed=ways.plan())).updated == (key,)
    assert ways.finds(key).status == DONE


EDGES = {
    "to do": ["In Progress", "Rejected"],
    "in progress": ["To Do", "In Review"],
    "in review": ["Done", "In Progress"],
    "rejected": [],
}


@pytest.mark.parametrize(
    ("start", "goal", "path"),
    [
        ("To Do", "In Progress", ("In Progress",)),
        ("to do", "DONE", ("In Progress", "In Review", "Done")),
        ("Rejected", "Done", ()),
        ("Nowhere", "Done", ()),
    ],
)
def test_the_shortest_way_is_found(start: str, goal: str, path: tuple[str, ...]) -> None:
    assert find_status_route(EDGES, start, goal) == path


def test_a_way_has_no_more_transitions_than_allowed() -> None:
    edges = {str(number): [str(number + 1)] for number in range(9)}

    assert find_status_route(edges, "0", "4") == ("1", "2", "3", "4")
    assert find_status_route(edges, "0", "5") == ()


def test_a_circle_ends() -> None:
    assert find_status_route({"a": ["b"], "b": ["a"]}, "a", "c") == ()
    assert unexplored_statuses({"a": ["b"], "b": ["a"]}, "a") == ()


def test_what_is_not_known_near_the_start_is_left_to_learn() -> None:
    edges = {"a": ["B", "c"], "b": ["D"], "c": ["d", "E"]}

    assert unexplored_statuses(edges, "a") == ("D", "E")
    assert unexplored_statuses({"a": "b", "b": "c", "c": "d", "d": "e", "e": "f"}, "a") == ()
    assert unexplored_statuses({}, "a") == ("a",)
