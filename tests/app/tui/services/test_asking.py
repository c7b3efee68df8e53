"""The services that ask Jira while a screen waits: for statuses, and which issues a query finds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import trio
import trio.testing
from fakes.apps import running_app, workspace
from fakes.pulls import Bench, inline
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.jira import LastChange
from ticketr.app.sync import Store, UnknownTicket, read_statuses, search_ids
from ticketr.app.tui import effects, messages
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services import asking
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.workspaces import OpenWorkspace, Workspaces

NOTHING = cast("Any", None)


def services(root: Path, told: list[Message], **asked: Any) -> Services:
    made = OpenWorkspace("work", Store(root, ".ticketr"), NOTHING, **asked)
    opened = Workspaces((made,), lambda _: NOTHING, told.append)
    return Services(NOTHING, NOTHING, opened, told.append, in_thread=inline)


def bench_in(tmp_path: Path) -> Bench:
    return Bench(make_site(tickets=12, seed=1), tmp_path / "work")


async def test_the_statuses_are_those_that_jira_answers(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    told: list[Message] = []
    ask = partial(read_statuses, cast("Any", bench.settings()))

    await asking.ask_statuses(
        services(tmp_path, told, read_statuses=ask), effects.AskStatuses("work", ("DEMO-9",))
    )

    assert bench.asked == ["issue/DEMO-9/transitions"]
    (answer,) = told
    assert isinstance(answer, messages.StatusesRead)
    assert (answer.keys, answer.problem) == (("DEMO-9",), "")
    assert answer.statuses == {"DEMO-9": ("In Review", "To Do")}


async def test_an_issue_that_jira_does_not_have_is_told(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    told: list[Message] = []
    ask = partial(read_statuses, cast("Any", bench_in(tmp_path).settings()))

    await asking.ask_statuses(
        services(tmp_path, told, read_statuses=ask), effects.AskStatuses("work", ("DEMO-999",))
    )

    (answer,) = told
    assert isinstance(answer, messages.StatusesRead)
    assert answer.statuses == {}
    assert "DEMO-999" in answer.problem


async def test_a_workspace_without_a_jira_has_no_statuses(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    told: list[Message] = []
    await asking.ask_statuses(services(tmp_path, told), effects.AskStatuses("work", ("DEMO-9",)))
    assert told == [messages.StatusesRead("work", ("DEMO-9",), {"DEMO-9": ()})]


async def test_a_jira_that_does_not_answer_is_given_up(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    told: list[Message] = []
    slow = Bench(make_site(tickets=12, seed=1), tmp_path / "work", latency=60.0)
    ask = partial(read_statuses, cast("Any", slow.settings()))
    begin = trio.current_time()

    await asking.ask_statuses(
        services(tmp_path, told, read_statuses=ask), effects.AskStatuses("work", ("DEMO-9",))
    )

    assert trio.current_time() - begin == asking.STATUS_WAIT
    problem = "it has not answered for 5 s"
    assert told == [messages.StatusesRead("work", ("DEMO-9",), {}, problem)]


async def test_esc_cancels_the_request_and_nothing_is_told(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    told: list[Message] = []

    async def ask(_: str) -> tuple[str, ...]:
        await trio.sleep_forever()

    used = services(tmp_path, told, read_statuses=ask)
    begin = trio.current_time()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(asking.ask_statuses, used, effects.AskStatuses("work", ("DEMO-9",)))
        await trio.testing.wait_all_tasks_blocked()
        asking.stop_asking(used, effects.StopAsking("work"))
        asking.stop_asking(used, effects.StopAsking("work"))

    assert (told, used.asking, trio.current_time()) == ([], {}, begin)


async def test_only_the_last_request_answers(tmp_path: Path, autojump_clock: MockClock) -> None:
    told: list[Message] = []

    async def ask(key: str) -> tuple[str, ...]:
        await trio.sleep(2 if key == "DEMO-1" else 1)
        return (key,)

    used = services(tmp_path, told, read_statuses=ask)
    async with trio.open_nursery() as nursery:
        for key in ("DEMO-1", "DEMO-2"):
            nursery.start_soon(asking.ask_statuses, used, effects.AskStatuses("work", (key,)))
            await trio.testing.wait_all_tasks_blocked()

    assert told == [messages.StatusesRead("work", ("DEMO-2",), {"DEMO-2": ("DEMO-2",)})]


async def test_the_keys_are_those_that_jira_finds_and_the_last_sync_knows(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    bench.site.edit("DEMO-9", labels=("late",))
    issue = bench.finds("DEMO-9")
    bench.site.create(
        project=issue.project, type=issue.type, summary="Not pulled", labels=("late",)
    )
    told: list[Message] = []
    used = services(bench.root, told, search=partial(search_ids, cast("Any", bench.options())))

    await asking.ask_keys(used, effects.AskKeys("work", "labels = late"))

    assert told == [messages.KeysRead("work", "labels = late", frozenset({"DEMO-9"}), 2)]


async def test_a_query_that_jira_does_not_understand_is_told(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    told: list[Message] = []
    used = services(bench.root, told, search=partial(search_ids, cast("Any", bench.options())))

    await asking.ask_keys(used, effects.AskKeys("work", "labels ="))

    (answer,) = told
    assert isinstance(answer, messages.KeysRead)
    assert answer.keys == frozenset()
    assert answer.problem.startswith("Jira does not understand the query: Error in the JQL")


async def test_the_app_shows_only_what_a_query_finds_until_another_filter_comes(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = bench_in(tmp_path)
    await bench.pull()
    bench.site.edit("DEMO-9", labels=("late",))
    used = replace(workspace(bench.root), search=partial(search_ids, bench.options()))

    async with running_app((used,)) as run:
        await run.press("f")
        await run.type("jql: labels = late")
        await run.settle()
        assert "Enter asks Jira" in run.screen.text
        assert "DEMO-1 " in run.screen.text
        await run.press("KEY_ENTER")
        await trio.sleep(1)
        assert "Jira has found 1" in run.screen.text
        assert "1/1 · only jql: labels = late" in run.screen.text
        assert [each.row.key for each in run.app.state.workspace.visible] == ["DEMO-9"]

        await run.press("f", "KEY_CTRL_U", "KEY_ENTER")
        assert len(run.app.state.workspace.visible) == 12


@pytest.mark.parametrize("kind", ["told", "nobody", "nothing", "error", "late"])
async def test_who_changed_an_issue_is_sent_only_if_jira_tells(
    tmp_path: Path, autojump_clock: MockClock, kind: str
) -> None:
    told: list[Message] = []
    asked: list[tuple[str, str]] = []

    async def ask(key: str, until: str) -> LastChange | None:
        asked.append((key, until))
        await trio.sleep(60 if kind == "late" else 1)
        if kind == "error":
            raise UnknownTicket(key, ())
        author = "Priya" if kind == "told" else ""
        return None if kind == "nothing" else LastChange(author, "then")

    effect = effects.AskAuthor("work", "DEMO-1", "DEMO-2", "now")
    await asking.ask_author(services(tmp_path, told, read_last_change=ask), effect)

    assert asked == [("DEMO-2", "now")]
    sent = [messages.AuthorRead("work", "DEMO-1", "now", "Priya", "then")]
    assert told == (sent if kind == "told" else [])
    assert trio.current_time() == (asking.STATUS_WAIT if kind == "late" else 1)


async def test_a_workspace_without_a_jira_does_not_know_who_changed_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    told: list[Message] = []

    await asking.ask_author(
        services(tmp_path, told), effects.AskAuthor("work", "DEMO-1", "DEMO-1", "now")
    )

    assert told == []
