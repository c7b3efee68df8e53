"""Writes: the requests, what their answers mean, and which may be sent again."""

from __future__ import annotations

import ast
import io
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
import trio.testing
from fakes.jira_app import SITE, Answer, ScriptedApp
from fakes.jira_broken import Breaking
from fakes.pulls import CREDENTIALS, Recorder, inline
from planned_faults import PlannedFaults
from rows import for_each
from trio.testing import MockClock

import ticketr.app.jira
from jira_sandbox import Fault, FaultKind, Site, create_app, make_site
from ticketr.app.jira import (
    Attachment,
    BadAnswer,
    Created,
    Credentials,
    JiraClient,
    JiraError,
    RateLimited,
    Redirected,
    Upload,
    may_have_happened,
    open_jira,
)
from ticketr.app.jira.errors import ConnectFailed, NoAnswer, ServerError

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
}
GOOD = {"create": MADE, "edit": DONE, "transition": DONE}
ONCE = ("create", "transition")
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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
@every_write
async def test_a_refusal_is_reported_and_final(
    write: str, status: int, autojump_clock: Clock
) -> None:
    answer = Answer({"errorMessages": [], "errors": {"summary": "Too long."}}, status=status)
    app = ScriptedApp(answer)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(JiraError, match=r"summary: Too long\.|refused the login") as caught:
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


@pytest.mark.parametrize("write", ["edit", "transition"])
async def test_a_web_page_does_not_count_as_a_write_that_was_done(
    write: str, autojump_clock: Clock
) -> None:
    app = ScriptedApp(Answer(b"<html>Log in</html>", headers={"content-type": "text/html"}))
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        with pytest.raises(BadAnswer, match="a web page"):
            await WRITES[write](jira)
    assert len(app.asked) == (5 if write == "edit" else 1)


@pytest.mark.parametrize("body", [{"id": "1", "key": "A-1"}, b"", b"  \n"])
@pytest.mark.parametrize("write", ["edit", "transition"])
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


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda jira: jira.edit_issue("../x", {}), "issue/%2E%2E%2Fx"),
        (lambda jira: jira.transition_issue("A?{}", "1"), "issue/A%3F%7B%7D/transitions"),
    ],
    ids=["edit", "transition"],
)
async def test_a_key_cannot_name_another_address(
    call: Write, path: str, autojump_clock: Clock
) -> None:
    app = ScriptedApp(DONE)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        await call(jira)
    assert app.asked[0].path == f"/rest/api/3/{path}"


BODY = {"type": "doc", "version": 1, "content": []}


async def answer(
    request: Callable[[JiraClient], Awaitable[object]], *answers: Answer
) -> tuple[object, ScriptedApp]:
    """Send a request to a site with these answers."""
    app = ScriptedApp(*answers)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        return await request(jira), app


async def test_comments_are_read_page_by_page(autojump_clock: trio.testing.MockClock) -> None:
    pages = [
        Answer({"total": 3, "comments": [{"id": "1"}, {"id": "2"}]}),
        Answer({"total": 3, "comments": [{"id": "2"}, {"id": "3"}]}),
    ]

    found, app = await answer(lambda jira: jira.comments("A-1"), *pages)

    assert found == ({"id": "1"}, {"id": "2"}, {"id": "3"})
    assert [each.query for each in app.asked] == [
        "startAt=0&maxResults=100&orderBy=created",
        "startAt=2&maxResults=100&orderBy=created",
    ]


@pytest.mark.parametrize("total", [2, 9, 10**400])
async def test_fewer_comments_than_the_site_counts_are_refused(
    autojump_clock: trio.testing.MockClock, total: int
) -> None:
    circle = Answer({"total": total, "comments": [{"id": "1"}]})

    with pytest.raises(BadAnswer, match="1 comments, though the issue has more"):
        await answer(lambda jira: jira.comments("A-1"), circle)


async def test_an_answer_without_the_id_of_a_comment_is_refused(
    autojump_clock: trio.testing.MockClock,
) -> None:
    with pytest.raises(BadAnswer, match="it tells no ID of the comment"):
        await answer(lambda jira: jira.add_comment("A-1", BODY), Answer({}))


@pytest.mark.parametrize("record", [{}, {"size": 1}])
def test_an_attachment_without_id_is_none(record: dict[str, object]) -> None:
    assert Attachment.read(record) is None


@pytest.mark.parametrize(
    ("status", "range_", "body"),
    [
        (206, "bytes 0-2/9", b"one"),
        (206, "", b"one"),
        (206, "bytes 3-5/9", b"on"),
        (200, "", b"one"),
    ],
)
async def test_another_portion_is_refused(
    autojump_clock: trio.testing.MockClock, status: int, range_: str, body: bytes
) -> None:
    with pytest.raises(BadAnswer):
        await answer(
            lambda jira: jira.read_attachment("7", 3, 6),
            Answer(body, status, {"content-range": range_} if range_ else {}),
        )


MEDIA = "6b2ad1f1-0c1d-4a53-8b2a-6a2e6d0f3c11"


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (
            Answer(
                b"", 303, {"location": f"https://api.media.example/file/{MEDIA}/binary?token=t"}
            ),
            MEDIA,
        ),
        (Answer(b"", 303, {"location": "https://elsewhere.example/file/7/binary"}), ""),
        (Answer(b"o", 206, {"content-range": "bytes 0-0/9"}), ""),
    ],
)
async def test_the_media_id_is_in_the_address_of_the_content(
    autojump_clock: trio.testing.MockClock, told: Answer, found: str
) -> None:
    identity, app = await answer(lambda jira: jira.media_id("7"), told)

    assert identity == found
    assert (app.asked[0].path, app.asked[0].headers["range"]) == (
        "/rest/api/3/attachment/content/7",
        "bytes=0-0",
    )


#: Carried out, and answered with 429, without a wait and with one.
REFUSALS = [Fault(FaultKind.REFUSED, turn=turn) for turn in (8, 9)]
STORY: dict[str, Any] = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "x"}
TEXT: dict[str, Any] = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Seen."}]}],
}
BEGAN = "2026-03-01T12:00:00.000+0000"


class RefusedWrite(NamedTuple):
    """A write of the client: its call, and a path that its request has and no earlier one."""

    send: Callable[[JiraClient], Awaitable[object]]
    path: str


async def link_of(jira: JiraClient) -> str:
    answer = await jira.bulk_fetch(["DEMO-1"], fields=["issuelinks"])
    links: Any = answer.issues[0].fields["issuelinks"]
    return str(links[-1]["id"])


async def add_and_remove_link(jira: JiraClient) -> None:
    kind = (await jira.link_types())[0]
    await jira.add_link(kind.id, "DEMO-1", "DEMO-6")
    await jira.remove_link(await link_of(jira), issue="DEMO-1")


async def add_link(jira: JiraClient) -> None:
    await jira.add_link((await jira.link_types())[0].id, "DEMO-1", "DEMO-6")


async def replace_comment_and_visibility(jira: JiraClient) -> None:
    await jira.replace_comment_and_visibility(
        "DEMO-1", await jira.add_comment("DEMO-1", TEXT), TEXT
    )


async def attach(jira: JiraClient) -> None:
    file = io.BytesIO(b"12345")
    await jira.add_attachment("DEMO-1", Upload(file, "a.txt", 5, in_thread=inline))


async def transition(jira: JiraClient) -> None:
    step = (await jira.transitions("DEMO-1"))[0]
    await jira.transition_issue("DEMO-1", step.id)


async def start_transition(jira: JiraClient) -> None:
    steps = await jira.transitions_by_key(["DEMO-1"])
    await jira.start_bulk_transition({steps["DEMO-1"][0].id: ["DEMO-1"]})


SENT_ONCE: dict[str, RefusedWrite] = {
    "create_issue": RefusedWrite(lambda jira: jira.create_issue(STORY), "/issue"),
    "create_issues": RefusedWrite(lambda jira: jira.create_issues([(STORY, {})]), "/issue/bulk"),
    "transition_issue": RefusedWrite(transition, "/transitions"),
    "add_comment": RefusedWrite(lambda jira: jira.add_comment("DEMO-1", TEXT), "/comment"),
    "add_attachment": RefusedWrite(attach, "/attachments"),
    "add_worklog": RefusedWrite(
        lambda jira: jira.add_worklog("DEMO-1", spent="1h", started=BEGAN), "/worklog"
    ),
    "start_bulk_edit": RefusedWrite(
        lambda jira: jira.start_bulk_edit(
            ["DEMO-1"], ["priority"], {"priority": {"priorityId": "1"}}
        ),
        "/bulk/issues/fields",
    ),
    "start_bulk_transition": RefusedWrite(start_transition, "/bulk/issues/transition"),
    "start_bulk_delete": RefusedWrite(
        lambda jira: jira.start_bulk_delete(["DEMO-9"]), "/bulk/issues/delete"
    ),
}
#: What has the same result when it is carried out twice.
REPEATED: dict[str, RefusedWrite] = {
    "edit_issue": RefusedWrite(
        lambda jira: jira.edit_issue("DEMO-1", {"summary": "y"}), "/issue/DEMO-1"
    ),
    "replace_comment_and_visibility": RefusedWrite(replace_comment_and_visibility, "/comment/"),
    "add_link": RefusedWrite(add_link, "/issueLink"),
    "remove_link": RefusedWrite(add_and_remove_link, "/issueLink/"),
}


class Wire(Recorder):
    """Counts the writes whose path ends in, or for a path that ends in a slash, contains it."""

    def __init__(self, site: Site, path: str, refusal: Fault) -> None:
        faults = PlannedFaults()
        super().__init__(create_app(site, faults=faults))
        self.sent = 0
        self._path, self._refusal, self._faults = path, refusal, faults

    async def send(self, request: Any) -> Any:
        path = request.url.partition("?")[0]
        is_it = path.endswith(self._path) or (self._path.endswith("/") and self._path in path)
        if request.method != "GET" and is_it:
            self.sent += 1
            if self.sent == 1:
                self._faults.left = [self._refusal]
        return await super().send(request)


@asynccontextmanager
async def client_of(wire: Wire) -> AsyncGenerator[JiraClient]:
    async with open_jira(CREDENTIALS, transport=wire) as jira:
        yield jira


@for_each("refusal", REFUSALS)
@for_each("name", SENT_ONCE)
async def test_what_a_rate_limit_refuses_is_sent_once_since_jira_may_have_it(
    name: str, refusal: Fault, autojump_clock: MockClock
) -> None:
    write = SENT_ONCE[name]
    wire = Wire(make_site(tickets=12, seed=1), write.path, refusal)

    async with client_of(wire) as jira:
        with pytest.raises(RateLimited):
            await write.send(jira)

    assert wire.sent == 1


@for_each("refusal", REFUSALS)
@for_each("name", REPEATED)
async def test_what_can_be_done_twice_is_sent_again(
    name: str, refusal: Fault, autojump_clock: MockClock
) -> None:
    write = REPEATED[name]
    wire = Wire(make_site(tickets=12, seed=1), write.path, refusal)

    async with client_of(wire) as jira:
        await write.send(jira)

    assert wire.sent == 2


async def test_the_next_request_waits_as_the_refusal_asked(autojump_clock: MockClock) -> None:
    wire = Wire(make_site(tickets=12, seed=1), "/worklog", REFUSALS[1])
    write = SENT_ONCE["add_worklog"].send

    async with client_of(wire) as jira:
        with pytest.raises(RateLimited):
            await write(jira)
        began = trio.current_time()
        await write(jira)

    assert trio.current_time() - began >= 1.0


def test_every_write_of_the_client_is_in_a_table() -> None:
    """A new method that writes has to say whether it can be done twice."""
    folder = Path(ticketr.app.jira.__file__).parent
    found: set[str] = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef) and hasattr(JiraClient, node.name):
                called = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
                if called & {"write", "upload", "_start_task"}:
                    found.add(node.name)

    # A task is cancelled while its issues are changed, which is a story of its own.
    assert found - {"_start_task", "cancel_task"} == {*SENT_ONCE, *REPEATED}
