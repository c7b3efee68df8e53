"""The client on the sandbox, in virtual time: plain, with faults, cancelled, and by cloud ID."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from fakes.jira_app import SITE, Answer, ScriptedApp
from fakes.steps import AtStep
from fakes.wire import Wire
from planned_faults import PlannedFaults
from rows import for_each
from sandbox_client import demo_site
from trio.testing import MockClock

from jira_sandbox import (
    CLOUD_ID,
    EMAIL,
    SCOPED_TOKEN,
    TOKEN,
    Fault,
    FaultKind,
    Faults,
    Site,
    create_app,
    make_site,
)
from jira_sandbox.faults.source import FaultSource
from ticketr.app.config import BadSetting
from ticketr.app.jira import (
    BadAnswer,
    BadRequest,
    Credentials,
    JiraClient,
    JiraError,
    NotFound,
    RateLimited,
    Redirected,
    ask_cloud_id,
    check_cloud,
    gateway_site,
    may_have_happened,
    open_jira,
)
from ticketr.app.jira.errors import ConnectionLost, NoAnswer, ServerError
from ticketr.app.jira.retry import RetryPolicy
from ticketr.app.jira.transport import Request
from ticketr.app.jira.transport._httpx import HttpxTransport
from ticketr.testing import StepReport, cancel_at_every_step

URL = "http://127.0.0.1"
ACCOUNT = Credentials(URL, EMAIL, TOKEN)
STORY: dict[str, Any] = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}}
SUBTASK: dict[str, Any] = {**STORY, "issuetype": {"name": "Sub-task"}}
PROPERTY = "ticketr"
Clock = trio.testing.MockClock


@asynccontextmanager
async def client_of(
    site: Site, *, latency: float = 0.0, faults: FaultSource | None = None, **options: Any
) -> AsyncGenerator[JiraClient]:
    app = create_app(site, latency=latency, faults=faults)
    transport = HttpxTransport(app=app, silence_timeout=30)
    async with open_jira(ACCOUNT, transport=transport, **options) as jira:
        yield jira


def marks(site: Site) -> list[object]:
    """Return the markers of all issues that have one."""
    return [issue.properties[PROPERTY] for issue in site if PROPERTY in issue.properties]


async def test_an_issue_is_made_changed_moved_and_deleted(autojump_clock: Clock) -> None:
    site = demo_site(5)
    async with client_of(site) as jira:
        made = await jira.create_issue({**STORY, "summary": "New"}, properties={PROPERTY: "m"})
        part = await jira.create_issue(
            {**SUBTASK, "summary": "Endpoints", "parent": {"key": made.key}}
        )
        await jira.edit_issue(made.key, {"summary": "Newer"})
        step = (await jira.transitions(made.key))[0]
        await jira.transition_issue(made.key, step.id)
        fetched = await jira.bulk_fetch(
            [made.id, part.id],
            fields=["summary", "status", "parent"],
            properties=[PROPERTY],
        )
        assert await jira.highest_key("DEMO") == part.key
    story, task = fetched.issues
    status: Any = story.fields["status"]
    parent: Any = task.fields["parent"]
    assert (made.key, part.key) == ("DEMO-6", "DEMO-7")
    assert (story.key, story.fields["summary"]) == (made.key, "Newer")
    assert (step.name, step.to_status) == ("Start work", "In Progress")
    assert status["name"] == step.to_status
    assert story.properties == {PROPERTY: "m"}
    assert (parent["key"], task.properties) == (made.key, {})
    assert len(site) == 7


async def test_a_create_that_is_refused_says_which_field_is_wrong(autojump_clock: Clock) -> None:
    site = demo_site(5)
    async with client_of(site) as jira:
        with pytest.raises(BadRequest) as caught:
            await jira.create_issue({**STORY, "summary": "x", "priority": {"name": "Nope"}})
    assert [name for name, _ in caught.value.field_errors] == ["priority"]
    assert len(site) == 5


@pytest.mark.parametrize("seed", range(4))
async def test_no_create_is_doubled_on_a_hostile_site(seed: int, autojump_clock: Clock) -> None:
    """An error says either that the issue was not created, or that this is not known."""
    site = demo_site(5)
    # No error can say that a refused create was carried out.
    rates = dict.fromkeys(FaultKind, 0.04) | {FaultKind.TOO_MANY: 0.25, FaultKind.REFUSED: 0.0}
    sure: list[int] = []
    made: list[int] = []
    failed: list[JiraError] = []

    async def create(jira: JiraClient, number: int) -> None:
        try:
            await jira.create_issue(
                {**STORY, "summary": f"Number {number}"}, properties={PROPERTY: number}
            )
        except JiraError as error:
            failed.append(error)
            if not may_have_happened(error):
                sure.append(number)
        else:
            made.append(number)

    patient = RetryPolicy(tries=20)  # since there are many 429s
    async with (
        client_of(site, faults=Faults(rates, seed=seed), retry=patient) as jira,
        trio.open_nursery() as nursery,
    ):
        for number in range(100):
            nursery.start_soon(create, jira, number)
    there = marks(site)
    assert len(there) == len(set(map(str, there)))
    assert set(made) <= set(there)
    assert not set(sure).intersection(there)
    assert failed
    assert len(made) > 30


class SlowDownFirst:
    """Answers the first request of each kind with 429."""

    hang_for = 60.0
    retry_within = 2

    def __init__(self) -> None:
        self._asked: set[tuple[str, str, bytes]] = set()

    def draw(self, method: str, path: str, body: bytes) -> Fault | None:
        asked = (method, path, body)
        if asked in self._asked:
            return None
        self._asked.add(asked)
        return Fault(FaultKind.TOO_MANY)


async def do_create(jira: JiraClient) -> None:
    await jira.create_issue({**STORY, "summary": "New"}, properties={PROPERTY: "m"})


async def do_create_part(jira: JiraClient) -> None:
    fields = {**SUBTASK, "summary": "New", "parent": {"key": "DEMO-3"}}
    await jira.create_issue(fields, properties={PROPERTY: "m"})


async def do_edit(jira: JiraClient) -> None:
    await jira.edit_issue("DEMO-3", {"summary": "New"})


async def do_move(jira: JiraClient) -> None:
    await jira.transition_issue("DEMO-3", "11")


WRITES = {
    "create": do_create,
    "create_part": do_create_part,
    "edit": do_edit,
    "transition": do_move,
}


async def make(write: Callable[[JiraClient], Awaitable[None]], jira: JiraClient) -> None:
    """Make a change, again if a rate limit refused it: this site has not made it then."""
    try:
        await write(jira)
    except RateLimited:
        await write(jira)


every_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


@every_write
def test_a_write_cancelled_anywhere_happened_once_or_not_at_all(
    write: Callable[[JiraClient], Awaitable[None]],
) -> None:
    """Cancel or interrupt at every step, also in the wait that the site asked for."""
    sites: list[Site] = []
    ends: set[int] = set()

    async def run() -> None:
        sites[:] = [demo_site(5)]
        async with client_of(sites[0], latency=0.1, faults=SlowDownFirst()) as jira:
            await make(write, jira)

    def check(_report: StepReport) -> None:
        site = sites[0]
        changes = site.revision
        ends.add(changes)
        assert changes <= 1

    summary = cancel_at_every_step(run, check=check)
    assert summary.cancelled
    assert ends == {0, 1}


def left_by_a_cancel(step: int) -> bool:
    """Cancel several writes at a step, then use the client; return whether it was cancelled."""
    instrument = AtStep(step)

    async def writes(jira: JiraClient) -> None:
        async with trio.open_nursery() as nursery:
            for write in (do_edit, do_edit, do_create_part, do_create):
                nursery.start_soon(make, write, jira)

    async def main() -> None:
        async with client_of(
            demo_site(5), latency=0.1, faults=SlowDownFirst(), max_concurrency=2
        ) as jira:
            with trio.CancelScope() as scope:
                instrument.arm(scope.cancel)
                await writes(jira)
            with trio.fail_after(60):
                await writes(jira)

    trio.run(main, clock=Clock(autojump_threshold=0), instruments=[instrument])
    return instrument.fired


@pytest.mark.unmeasured
def test_a_cancel_at_any_step_leaves_every_place_and_every_issue_free() -> None:
    assert left_by_a_cancel(1)
    step = 2
    while left_by_a_cancel(step):
        step += 1
    assert step > 50


@pytest.mark.parametrize(
    ("kind", "made"), [(FaultKind.DROP, 0), (FaultKind.LOST, 1), (FaultKind.RESET, 1)]
)
async def test_a_reset_is_a_lost_connection_for_the_client(
    kind: FaultKind, made: int, autojump_clock: Clock
) -> None:
    site = demo_site(5)
    app = create_app(site, faults=PlannedFaults(Fault(kind)))
    body = json.dumps({"fields": {**STORY, "summary": "New"}}).encode()
    url = f"{URL}/rest/api/3/issue"
    login = ACCOUNT.checked_authorization(url)
    headers = {"authorization": login, "content-type": "application/json"}
    request = Request("POST", url, headers, body)

    async with Wire(app) as wire:
        with pytest.raises(ConnectionLost):
            await wire.send(request)
        again = await wire.send(request)

    assert again.status == 201
    assert len(site) == 6 + made


TOLD = "11223344-A1B2-3b33-c444-def123456789"


async def ask(*answers: Answer) -> str:
    return await ask_cloud_id(SITE, transport=ScriptedApp(*answers).transport())


async def test_nothing_of_a_login_is_sent(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIRA_API_TOKEN", "canary")
    app = ScriptedApp(Answer({"cloudId": TOLD}))

    await ask_cloud_id(f"{SITE}/", transport=app.transport())

    (asked,) = app.asked
    assert (asked.method, asked.path, asked.query) == ("GET", "/_edge/tenant_info", "")
    assert not {"authorization", "cookie"} & set(asked.headers)
    assert "canary" not in repr(asked.headers)


@for_each(
    "body",
    [
        {},
        [],
        "text",
        {"cloudId": None},
        {"cloudId": 5},
        {"cloudId": ""},
        {"cloudId": f"{TOLD}\n"},
        {"cloudId": f"{TOLD}/../../evil"},
        {"cloudId": f" {TOLD}"},
        {"cloudId": TOLD.replace("-", "")},
        {"cloudId": TOLD[:-1]},
        {"cloudId": f"{TOLD}0"},
        {"cloudId": TOLD.replace("1", "\N{FULLWIDTH DIGIT ONE}")},
        {"cloudId": TOLD.replace("1", "g")},
        {"cloudid": TOLD},
        b"",
        b"<html>log in</html>",
        b'{"cloudId": "',
    ],
)
async def test_an_answer_that_is_no_cloud_id_is_refused(
    body: object, autojump_clock: MockClock
) -> None:
    with pytest.raises(BadAnswer):
        await ask(Answer(body))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer({"cloudId": TOLD}, status=404), NotFound),
        (Answer({"cloudId": TOLD}, status=302, headers={"location": "https://x.y"}), Redirected),
        (Answer({"cloudId": TOLD}, status=503), ServerError),
        (Answer({"cloudId": TOLD}, after=60.0), NoAnswer),
    ],
)
async def test_a_site_without_a_cloud_id_raises_the_usual_error(
    answer: Answer, kind: type[JiraError], autojump_clock: MockClock
) -> None:
    with pytest.raises(kind):
        await ask(answer)


@pytest.mark.parametrize("site", ["http://jira.example", "acme"])
async def test_an_address_that_may_not_be_asked_is_not(
    site: str, autojump_clock: MockClock
) -> None:
    app = ScriptedApp(Answer({"cloudId": TOLD}))

    with pytest.raises(BadSetting):
        await ask_cloud_id(site, transport=app.transport())

    assert app.asked == []


@pytest.mark.parametrize(
    ("site", "gateway"),
    [
        ("", "https://api.atlassian.com/ex/jira/11-22"),
        ("https://acme.atlassian.net", "https://api.atlassian.com/ex/jira/11-22"),
        ("https://localhost.example", "https://api.atlassian.com/ex/jira/11-22"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/ex/jira/11-22"),
        ("http://localhost", "http://localhost/ex/jira/11-22"),
        ("http://[::1]:80", "http://[::1]:80/ex/jira/11-22"),
    ],
)
def test_a_site_on_this_machine_is_its_own_gateway(site: str, gateway: str) -> None:
    assert gateway_site("11-22", site) == gateway


async def test_the_sandbox_has_a_cloud_id_and_accepts_a_scoped_token_there(
    autojump_clock: MockClock,
) -> None:
    app = create_app(make_site(tickets=3, seed=1))
    cloud_id = await ask_cloud_id(SITE, transport=HttpxTransport(app=app))
    login = Credentials(gateway_site(cloud_id, SITE), EMAIL, SCOPED_TOKEN)

    async with open_jira(login, transport=HttpxTransport(app=app)) as jira:
        user = await jira.myself()

    assert cloud_id == CLOUD_ID
    assert user.email == EMAIL


async def test_a_site_is_asked_for_its_kind_without_a_login(autojump_clock: MockClock) -> None:
    app = ScriptedApp(Answer({"baseUrl": SITE, "deploymentType": "Cloud"}))

    await check_cloud(f"{SITE}/", transport=app.transport())

    (asked,) = app.asked
    assert (asked.method, asked.path) == ("GET", "/rest/api/2/serverInfo")
    assert "authorization" not in asked.headers
