"""Test requests about a login, in virtual time, with scripted answers."""

from __future__ import annotations

import pytest
from fakes.jira_app import Answer, ScriptedApp
from trio.testing import MockClock

from ticketr.app.cli.workspace_site import LoginChecked, check_login
from ticketr.app.config import BadSetting
from ticketr.app.jira import AuthenticationFailed, Credentials
from ticketr.app.sync import UnsupportedField

SITE = "https://acme.atlassian.net"
GATEWAY = "http://127.0.0.1:8080/ex/jira/11-22"
MIA = Answer({"accountId": "1", "displayName": "Mia"})
DEMO = Answer({"id": "1", "key": "DEMO", "name": "The demo"})


async def look(app: ScriptedApp, *, site: str = SITE, project: str | None = "DEMO") -> LoginChecked:
    return await check_login(
        Credentials(GATEWAY, "mia@acme.com", "token"),
        site=site,
        project=project,
        transport=app.transport(),
    )


def info(base_url: str) -> Answer:
    return Answer({"baseUrl": base_url, "version": "1001.0.0"})


async def test_behind_the_gateway_it_sees_that_the_site_is_the_right_one(
    autojump_clock: MockClock,
) -> None:
    app = ScriptedApp(MIA, info(f"{SITE.upper()}/"), DEMO)

    seen = await look(app)

    assert seen.user.display_name == "Mia"
    assert seen.project is not None
    assert (seen.project.key, seen.project.name) == ("DEMO", "The demo")
    paths = [asked.path.removeprefix("/ex/jira/11-22/rest/api/3/") for asked in app.asked]
    assert paths == ["myself", "serverInfo", "project/DEMO"]


async def test_the_cloud_id_of_another_site_is_refused(autojump_clock: MockClock) -> None:
    app = ScriptedApp(MIA, info("https://other.atlassian.net"), DEMO)

    with pytest.raises(BadSetting) as caught:
        await look(app)

    assert str(caught.value) == (
        f"the cloud ID is '11-22': it is that of https://other.atlassian.net, not of {SITE}"
    )


@pytest.mark.parametrize(
    "told", [Answer({"errorMessages": ["no scope"]}, status=403), info(""), info("nonsense")]
)
async def test_a_cloud_id_is_accepted_if_the_gateway_does_not_answer(
    told: Answer, autojump_clock: MockClock
) -> None:
    assert (await look(ScriptedApp(MIA, told, DEMO))).user.display_name == "Mia"


async def test_at_the_sites_own_address_there_is_nothing_to_compare(
    autojump_clock: MockClock,
) -> None:
    app = ScriptedApp(MIA)

    assert await look(app, site=GATEWAY, project=None) == await look(
        ScriptedApp(MIA), site=GATEWAY, project=None
    )
    assert len(app.asked) == 1


async def test_a_login_that_is_not_taken_is_jiras_own_error(autojump_clock: MockClock) -> None:
    with pytest.raises(AuthenticationFailed):
        await look(ScriptedApp(Answer({"errorMessages": ["no"]}, status=401)))


async def test_a_field_that_files_cannot_hold_is_refused(autojump_clock: MockClock) -> None:
    schema = {"type": "timetracking", "system": "timetracking"}
    tracking = {"id": "timetracking", "name": "Time tracking", "custom": False, "schema": schema}
    app = ScriptedApp(MIA, DEMO, Answer([tracking]))

    with pytest.raises(UnsupportedField, match="it holds tracked time"):
        await check_login(
            Credentials(SITE, "mia@acme.com", "token"),
            site=SITE,
            project="DEMO",
            fields=("Time tracking",),
            transport=app.transport(),
        )
