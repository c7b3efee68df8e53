"""Test changing issues: the requests, reading the answers, and retries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing
from fakes.jira_app import SITE, Answer, ScriptedApp
from fakes.jira_broken import Breaking

from ticketr.app.jira import (
    BadAnswer,
    ConnectFailed,
    Created,
    Credentials,
    JiraClient,
    JiraError,
    Redirected,
    Transition,
    may_have_happened,
    open_jira,
)
from ticketr.app.jira.errors import NoAnswer, ServerError

ACCOUNT = Credentials(SITE, "mia@example.com", "a-token")
MADE = Answer({"id": "10001", "key": "A-2", "self": f"{SITE}/rest/api/3/issue/10001"}, status=201)
DONE = Answer(b"", status=204)
BUSY = Answer({}, status=503)
Clock = trio.testing.MockClock
Write = Callable[[JiraClient], Awaitable[object]]

WRITES: dict[str, Write] = {
    "create": lambda jira: jira.create_issue({"summary": "New"}),
    "edit": lambda jira: jira.edit_issue("A-1", {"summary": "New"}),
    "transition": lambda jira: jira.transition_issue("A-1", "31"),
    "delete": lambda jira: jira.delete_issue("A-1"),
}
GOOD = {"create": MADE, "edit": DONE, "transition": DONE, "delete": DONE}
ONCE = ("create", "transition", "delete")
every_write = pytest.mark.parametrize("write", WRITES)
each_once = pytest.mark.parametrize("write", ONCE)


async def test_a_create_sends_fields_and_properties_and_returns_the_key(
    autojump_clock: Clock,
) -> None:
    app = ScriptedApp(MADE)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        made = await jira.create_issue({"summary": "New"}, properties={"ticketr": {"mark": "x"}})
    assert made == Created("10001", "A-2")
    assert (app.asked[0].method, app.asked[0].path) == ("POST", "/rest/api/3/issue")
    assert app.asked[0].body == {
        "fields": {"summary": "New"},
        "properties": [{"key": "ticketr", "value": {"mark": "x"}}],
    }


@pytest.mark.parametrize("subtasks", [False, True])
async def test_a_delete_says_whether_the_sub_tasks_go_too(
    subtasks: bool, autojump_clock: Clock
) -> None:
    app = ScriptedApp(DONE)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        await jira.delete_issue("A-1", subtasks=subtasks)
    assert (app.asked[0].method, app.asked[0].path) == ("DELETE", "/rest/api/3/issue/A-1")
    assert app.asked[0].query == f"deleteSubtasks={str(subtasks).lower()}"
    assert app.asked[0].body is None


async def test_transitions_are_read_with_missing_keys(autojump_clock: Clock) -> None:
    answer = {
        "transitions": [
            {"id": "31", "name": "Done", "to": {"id": "5", "name": "Closed"}, "isGlobal": True},
            {"id": 41, "name": None, "to": None},
            {"name": "without ID"},
            None,
        ]
    }
    app = ScriptedApp(Answer(answer))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        assert await jira.transitions("A-1") == (
            Transition("31", "Done", "Closed", "5"),
            Transition("41", "", "", ""),
        )


@every_write
async def test_a_write_is_sent_again_when_no_connection_was_made(
    write: str, autojump_clock: Clock
) -> None:
    app = ScriptedApp(GOOD[write])
    transport = Breaking(app, ConnectFailed(SITE, "refused"), ConnectFailed(SITE, "refused"))
    async with open_jira(ACCOUNT, transport=transport) as jira:
        await WRITES[write](jira)
    assert transport.sent == 3
    assert len(app.asked) == 1


LOST: dict[str, Callable[[], tuple[ScriptedApp, type[JiraError]]]] = {
    "503": lambda: (ScriptedApp(BUSY), ServerError),
    "500": lambda: (ScriptedApp(Answer({}, status=500)), ServerError),
    "a page": lambda: (ScriptedApp(Answer(b"<html>", status=201)), BadAnswer),
    "silence": lambda: (ScriptedApp(Answer(after=100)), NoAnswer),
}


@each_once
@pytest.mark.parametrize("loss", LOST)
async def test_a_request_that_must_not_repeat_is_not_sent_again_when_its_answer_is_lost(
    write: str, loss: str, autojump_clock: Clock
) -> None:
    app, kind = LOST[loss]()
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(kind) as caught:
            await WRITES[write](jira)
    assert may_have_happened(caught.value)
    assert len(app.asked) == 1


async def test_an_edit_waits_for_a_site_that_is_busy(autojump_clock: Clock) -> None:
    app = ScriptedApp(BUSY, BUSY, DONE)
    async with open_jira(ACCOUNT, transport=app.transport(), chance=lambda: 1.0) as jira:
        await jira.edit_issue("A-1", {"summary": "New"})
    assert app.times == [0.0, 1.0, 3.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
@every_write
async def test_a_refusal_is_reported_and_final(
    write: str, status: int, autojump_clock: Clock
) -> None:
    answer = Answer({"errorMessages": [], "errors": {"summary": "Too long."}}, status=status)
    app = ScriptedApp(answer)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(JiraError, match=r"summary: Too long\.") as caught:
            await WRITES[write](jira)
    assert not may_have_happened(caught.value)
    assert len(app.asked) == 1


@each_once
async def test_a_request_that_must_not_repeat_is_not_sent_again_after_a_login_page(
    write: str, autojump_clock: Clock
) -> None:
    app = ScriptedApp(Answer(status=302, headers={"location": "/login.jsp"}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(Redirected, match="a login page"):
            await WRITES[write](jira)
    assert len(app.asked) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", {}, {"id": "1"}, {"key": None}, []])
async def test_a_create_whose_answer_has_no_key_may_have_happened(
    body: object, autojump_clock: Clock
) -> None:
    app = ScriptedApp(Answer(body, status=201))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(BadAnswer) as caught:
            await jira.create_issue({})
    assert may_have_happened(caught.value)
    assert len(app.asked) == 1


@pytest.mark.parametrize("write", ["edit", "transition", "delete"])
async def test_a_web_page_does_not_count_as_a_write_that_was_done(
    write: str, autojump_clock: Clock
) -> None:
    app = ScriptedApp(Answer(b"<html>Log in</html>", headers={"content-type": "text/html"}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(BadAnswer, match="a web page"):
            await WRITES[write](jira)
    assert len(app.asked) == (5 if write == "edit" else 1)


@pytest.mark.parametrize("body", [{"id": "1", "key": "A-1"}, b"", b"  \n"])
@pytest.mark.parametrize("write", ["edit", "transition", "delete"])
async def test_a_write_may_be_answered_by_anything_or_nothing(
    write: str, body: object, autojump_clock: Clock
) -> None:
    async with open_jira(ACCOUNT, transport=ScriptedApp(Answer(body)).transport()) as jira:
        await WRITES[write](jira)


async def test_one_issue_is_written_once_at_a_time_and_another_meanwhile(
    autojump_clock: Clock,
) -> None:
    app = ScriptedApp(Answer(MADE.body, after=1))
    async with (
        open_jira(ACCOUNT, transport=app.transport(), max_concurrency=9) as jira,
        trio.open_nursery() as nursery,
    ):
        for write in (
            lambda: jira.edit_issue("A-1", {}),
            lambda: jira.edit_issue("a-1", {}),
            lambda: jira.create_issue({"parent": {"key": "A-1"}}),
            lambda: jira.edit_issue("A-2", {}),
            lambda: jira.create_issue({"parent": {"id": "10002"}}),
            lambda: jira.create_issue({"parent": {"id": "10002"}}),
            lambda: jira.create_issue({}),
            lambda: jira.create_issue({"parent": None}),
        ):
            nursery.start_soon(write)
    together = [app.times.count(time) for time in (0.0, 1.0, 2.0)]
    assert together == [5, 2, 1]


async def test_a_read_of_an_issue_does_not_wait_for_its_write(autojump_clock: Clock) -> None:
    app = ScriptedApp(Answer(b"", after=5), Answer({"transitions": []}))
    async with (
        open_jira(ACCOUNT, transport=app.transport()) as jira,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(jira.edit_issue, "A-1", {})
        await trio.sleep(1)
        nursery.start_soon(jira.transitions, "A-1")
    assert app.times == [0.0, 1.0]


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda jira: jira.edit_issue("../x", {}), "issue/%2E%2E%2Fx"),
        (lambda jira: jira.delete_issue("A?b=c"), "issue/A%3Fb%3Dc"),
        (lambda jira: jira.transition_issue("{}", "1"), "issue/%7B%7D/transitions"),
    ],
    ids=["edit", "delete", "transition"],
)
async def test_a_key_cannot_name_another_address(
    call: Write, path: str, autojump_clock: Clock
) -> None:
    app = ScriptedApp(DONE)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        await call(jira)
    assert app.asked[0].path == f"/rest/api/3/{path}"
