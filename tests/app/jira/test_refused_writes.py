"""Test that no write that starts something is sent again, though Jira may have carried it out.

A gateway refuses by its rate limit what Jira has carried out, so each write is answered so here.
"""

from __future__ import annotations

import ast
import io
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
from fakes.pulls import CREDENTIALS, Recorder, inline
from planned_faults import PlannedFaults
from trio.testing import MockClock

import ticketr.app.jira
from jira_sandbox import Fault, FaultKind, Site, create_app, make_site
from ticketr.app.jira import JiraClient, RateLimited, Upload, open_jira

#: Carried out, and answered with 429, without a wait and with one.
REFUSALS = [Fault(FaultKind.REFUSED, turn=turn) for turn in (8, 9)]
STORY: dict[str, Any] = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "x"}
TEXT: dict[str, Any] = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Seen."}]}],
}
BEGAN = "2026-03-01T12:00:00.000+0000"


class Write(NamedTuple):
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


async def edit_comment(jira: JiraClient) -> None:
    await jira.edit_comment("DEMO-1", await jira.add_comment("DEMO-1", TEXT), TEXT)


async def attach(jira: JiraClient) -> None:
    file = io.BytesIO(b"12345")
    await jira.add_attachment("DEMO-1", Upload(file, "a.txt", 5, in_thread=inline))


async def transition(jira: JiraClient) -> None:
    step = (await jira.transitions("DEMO-1"))[0]
    await jira.transition_issue("DEMO-1", step.id)


async def start_transition(jira: JiraClient) -> None:
    steps = await jira.bulk_transitions(["DEMO-1"])
    await jira.start_bulk_transition({steps["DEMO-1"][0].id: ["DEMO-1"]})


ONCE: dict[str, Write] = {
    "create_issue": Write(lambda jira: jira.create_issue(STORY), "/issue"),
    "create_issues": Write(lambda jira: jira.create_issues([(STORY, {})]), "/issue/bulk"),
    "transition_issue": Write(transition, "/transitions"),
    "delete_issue": Write(lambda jira: jira.delete_issue("DEMO-9"), "/issue/DEMO-9"),
    "add_comment": Write(lambda jira: jira.add_comment("DEMO-1", TEXT), "/comment"),
    "add_attachment": Write(attach, "/attachments"),
    "add_worklog": Write(
        lambda jira: jira.add_worklog("DEMO-1", spent="1h", started=BEGAN), "/worklog"
    ),
    "start_bulk_edit": Write(
        lambda jira: jira.start_bulk_edit(
            ["DEMO-1"], ["priority"], {"priority": {"priorityId": "1"}}
        ),
        "/bulk/issues/fields",
    ),
    "start_bulk_transition": Write(start_transition, "/bulk/issues/transition"),
    "start_bulk_delete": Write(
        lambda jira: jira.start_bulk_delete(["DEMO-9"]), "/bulk/issues/delete"
    ),
}
#: What has the same result when it is carried out twice.
REPEATED: dict[str, Write] = {
    "edit_issue": Write(lambda jira: jira.edit_issue("DEMO-1", {"summary": "y"}), "/issue/DEMO-1"),
    "edit_comment": Write(edit_comment, "/comment/"),
    "add_link": Write(add_link, "/issueLink"),
    "remove_link": Write(add_and_remove_link, "/issueLink/"),
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


@pytest.mark.parametrize("refusal", REFUSALS, ids=["bare", "with-a-wait"])
@pytest.mark.parametrize("name", ONCE)
async def test_what_a_rate_limit_refuses_is_sent_once_since_jira_may_have_it(
    name: str, refusal: Fault, autojump_clock: MockClock
) -> None:
    write = ONCE[name]
    wire = Wire(make_site(tickets=12, seed=1), write.path, refusal)

    async with client_of(wire) as jira:
        with pytest.raises(RateLimited):
            await write.send(jira)

    assert wire.sent == 1


@pytest.mark.parametrize("refusal", REFUSALS, ids=["bare", "with-a-wait"])
@pytest.mark.parametrize("name", REPEATED)
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
    write = ONCE["add_worklog"].send

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
                if called & {"write", "upload", "_start"}:
                    found.add(node.name)

    # A task is cancelled while its issues are changed, which is a story of its own.
    assert found - {"_start", "cancel_task"} == {*ONCE, *REPEATED}
