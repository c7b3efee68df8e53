"""Test asking a site for its cloud ID, in virtual time."""

from __future__ import annotations

import pytest
from fakes.jira_app import SITE, Answer, ScriptedApp
from trio.testing import MockClock

from jira_sandbox import CLOUD_ID, EMAIL, SCOPED_TOKEN, create_app, make_site
from ticketr.app.jira import (
    BadAnswer,
    Credentials,
    JiraError,
    NotFound,
    Redirected,
    ask_cloud_id,
    ask_server_info,
    gateway_site,
    open_jira,
)
from ticketr.app.jira.errors import BadSite, InsecureSite, NoAnswer, ServerError
from ticketr.app.jira.transport._httpx import HttpxTransport

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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
    ("site", "kind"), [("http://jira.example", InsecureSite), ("acme", BadSite)]
)
async def test_an_address_that_may_not_be_asked_is_not(
    site: str, kind: type[JiraError], autojump_clock: MockClock
) -> None:
    app = ScriptedApp(Answer({"cloudId": TOLD}))

    with pytest.raises(kind):
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
        user, info = await jira.myself(), await jira.server_info()

    assert cloud_id == CLOUD_ID
    assert user.email == EMAIL
    assert info.base_url == SITE


async def test_the_server_info_is_asked_for_without_a_login(autojump_clock: MockClock) -> None:
    app = ScriptedApp(Answer({"baseUrl": SITE, "deploymentType": "Cloud"}))

    info = await ask_server_info(f"{SITE}/", transport=app.transport())

    (asked,) = app.asked
    assert (asked.method, asked.path) == ("GET", "/rest/api/2/serverInfo")
    assert "authorization" not in asked.headers
    assert info.deployment_type == "Cloud"
