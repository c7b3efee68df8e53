"""Test that the token is shown nowhere and sent only to its site."""

from __future__ import annotations

import base64
import logging
import pickle
import traceback
from contextlib import nullcontext

import pytest
import trio
import trio.testing
from fakes.jira_app import SITE, Answer, ScriptedApp
from fakes.jira_raw import Answer as RawAnswer, hang_up, raw_site, reply
from rows import for_each

from ticketr.app.config import BadSetting, SiteLogin, TokenFailed, TokenSource
from ticketr.app.jira import Credentials, JiraError, errors, open_jira
from ticketr.app.jira.credentials import normalise_site
from ticketr.app.jira.errors import ConnectionLost, TokenOfOtherSite
from ticketr.app.jira.retry import RetryPolicy
from ticketr.app.jira.transport import Request, Response

EMAIL = "mia@example.com"
TOKEN = "canary-ATATT3xFfGF0"
PAIR = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
Clock = trio.testing.MockClock


def shown(error: BaseException) -> str:
    """Return everything that a program might show or store of an error."""
    text = "".join(traceback.format_exception(error))
    return "\n".join([str(error), repr(error), repr(vars(error)), text, repr(pickle.dumps(error))])


def assert_hidden(text: str) -> None:
    assert TOKEN not in text
    assert PAIR not in text


def account(site: str = SITE) -> Credentials:
    return Credentials(site, EMAIL, TOKEN)


def test_the_canary_would_be_found() -> None:
    with pytest.raises(AssertionError):
        assert_hidden(shown(ValueError(f"bad token {TOKEN}")))
    with pytest.raises(AssertionError):
        assert_hidden(shown(ValueError(f"Basic {PAIR}")))


def test_no_repr_shows_the_token() -> None:
    credentials = account()
    request = Request("GET", SITE, {"authorization": f"Basic {PAIR}"}, b"body")
    response = Response(200, {"x-echo": TOKEN}, TOKEN.encode(), SITE)
    assert EMAIL in repr(credentials)
    assert_hidden(repr(credentials) + repr(request) + repr(response) + str(credentials))


def test_a_token_alone_is_a_bearers() -> None:
    alone = Credentials(SITE, "", TOKEN)
    assert alone.checked_authorization(f"{SITE}/rest") == f"Bearer {TOKEN}"
    assert alone.redact(f"you sent Bearer {TOKEN}") == "you sent Bearer [hidden]"
    assert_hidden(repr(alone))
    with pytest.raises(TokenOfOtherSite):
        alone.checked_authorization("https://evil.example")


@pytest.mark.parametrize("end", ["\n", " ", "\r\nx-evil: 1", "\0", "ü", "\ud800"])
async def test_a_bearers_token_that_cannot_be_a_header_is_refused_without_repeating_it(
    end: str,
) -> None:
    with pytest.raises(TokenFailed, match="is not a token") as caught:
        SiteLogin(SITE, "", TOKEN + end, TokenSource.KEYRING)
    assert_hidden(shown(caught.value))
    async with (
        raw_site(reply({})) as site,
        open_jira(Credentials(site.url, "", TOKEN + end)) as jira,
    ):
        with pytest.raises(ConnectionLost) as sent:
            await jira.myself()
    assert_hidden(shown(sent.value))


def test_credentials_refuse_to_be_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled") as caught:
        pickle.dumps(account())
    assert_hidden(shown(caught.value))


ECHO = {"errorMessages": [f"bad {TOKEN}"], "errors": {TOKEN: f"Basic {PAIR}"}, "message": TOKEN}


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 418, 429, 500, 503])
@pytest.mark.parametrize("body", [ECHO, f"you sent {TOKEN} as {PAIR}".encode(), {"error": TOKEN}])
async def test_a_site_that_repeats_the_token_does_not_get_it_into_an_error(
    status: int, body: object, caplog: pytest.LogCaptureFixture, autojump_clock: Clock
) -> None:
    caplog.set_level(logging.DEBUG)
    waits: list[str] = []
    answer = Answer(body, status=status, headers={"location": f"https://x.y/{TOKEN}"})
    async with open_jira(
        account(),
        transport=ScriptedApp(answer).transport(),
        on_wait=lambda _, why: waits.append(why),
        retry=RetryPolicy(chance=lambda: 0.0),
    ) as jira:
        with pytest.raises(JiraError) as caught:
            await jira.myself()
    assert_hidden(shown(caught.value) + caplog.text + "".join(waits))


@pytest.mark.parametrize(
    "answer",
    [hang_up, reply(b"<html>", kind="text/html"), reply({"x": TOKEN}), reply({}, status=401)],
    ids=["hang_up", "html", "shape", "401"],
)
async def test_no_error_or_log_of_a_real_request_shows_the_token(
    answer: RawAnswer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with raw_site(answer) as site:
        async with open_jira(account(site.url), retry=RetryPolicy(chance=lambda: 0.0)) as jira:
            with pytest.raises(JiraError) as caught:
                await jira.myself()
        assert PAIR.encode() in site.connections[0].requests[0]
    assert caplog.records
    assert_hidden(shown(caught.value) + caplog.text + repr(jira) + repr(vars(jira)))


@for_each(
    "site",
    [
        "https://user:canary-ATATT3xFfGF0@example.atlassian.net",
        "https://canary-ATATT3xFfGF0@example.atlassian.net",
        "https://example.atlassian.net/?token=canary-ATATT3xFfGF0",
        "https://example.atlassian.net/#canary-ATATT3xFfGF0",
        "ftp://user:canary-ATATT3xFfGF0@example.com",
        "https://user:canary-ATATT3xFfGF0@example.com:port",
        "user:canary-ATATT3xFfGF0@example.com",
        "https://[user:canary-ATATT3xFfGF0@::1",
    ],
)
async def test_an_address_that_holds_a_secret_is_refused_without_repeating_it(site: str) -> None:
    with pytest.raises(BadSetting) as caught:
        async with open_jira(account(site)):
            pass
    assert_hidden(shown(caught.value))


@for_each(
    ("site", "problem"),
    [
        ("", "write it as https"),
        ("example.atlassian.net", "write it as https"),
        ("https://", "write it as https"),
        ("https:///path", "write it as https"),
        ("https://a.b:99999", "Port out of range"),
        ("https://a.b/c d", "write it as https"),
        ("https://a.b\\evil.example", "write it as https"),
        ("https://a.b\\@evil.example", "leave the login out of it"),
        ("https://a.b/x/../y", "write it as https"),
    ],
)
def test_an_address_that_is_none_is_refused(site: str, problem: str) -> None:
    with pytest.raises(BadSetting, match=problem):
        normalise_site(site)


@pytest.mark.parametrize(
    ("site", "normal"),
    [
        (" https://Example.Atlassian.net/ ", "https://example.atlassian.net"),
        ("HTTPS://jira.example.com:8443/Jira/", "https://jira.example.com:8443/Jira"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.5.5.5", "http://127.5.5.5"),
        ("http://[::1]:80/", "http://[::1]"),
    ],
)
def test_an_address_is_written_in_one_way(site: str, normal: str) -> None:
    assert normalise_site(site) == normal


@pytest.mark.parametrize(
    "site",
    ["http://example.com", "http://10.0.0.1", "http://localhost.evil.example", "http://0x7f.1"],
)
async def test_plain_http_stays_on_this_machine(site: str) -> None:
    with pytest.raises(BadSetting, match="plain http"):
        async with open_jira(account(site)):
            pass


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "http://127.0.0.1:8081",
        "https://127.0.0.1:8080",
        "http://localhost:8080",
    ],
)
def test_a_token_is_refused_to_another_site(elsewhere: str) -> None:
    with pytest.raises(TokenOfOtherSite, match="is not sent to") as caught:
        account().checked_authorization(f"{elsewhere}/rest/api/3/myself")
    assert_hidden(shown(caught.value))


async def test_a_token_is_sent_to_its_own_site_in_any_spelling(
    autojump_clock: Clock,
) -> None:
    app = ScriptedApp(Answer({"accountId": "1"}))
    async with open_jira(account(f"{SITE.upper()}/"), transport=app.transport()) as jira:
        await jira.myself()
    assert app.asked[0].headers["authorization"] == f"Basic {PAIR}"


@for_each(
    ("url", "below"),
    [
        ("https://api.example.com/ex/jira/1", True),
        ("https://api.example.com/ex/jira/1/rest", True),
        ("https://api.example.com/ex/jira/12", False),
        ("https://api.example.com/ex/jira/2/rest", False),
        ("https://api.example.com/ex/jira/1/../2", False),
        ("https://api.example.com", False),
        ("https://api.example.com.evil.example/ex/jira/1", False),
        ("https://api.example.com@evil.example/ex/jira/1", False),
        ("https://api.example.com:8443/ex/jira/1", False),
        ("http://api.example.com/ex/jira/1", False),
        ("https://[/ex/jira/1", False),
    ],
)
def test_the_path_of_a_site_is_part_of_it(url: str, *, below: bool) -> None:
    login = Credentials("https://api.example.com/ex/jira/1", EMAIL, TOKEN)
    with nullcontext() if below else pytest.raises(TokenOfOtherSite):
        login.checked_authorization(url)


def test_a_short_token_may_be_a_word() -> None:
    assert Credentials(SITE, EMAIL, "demo").redact("project demo") == "project demo"
    assert Credentials(SITE, EMAIL, "demodemo").redact("the demodemo") == "the [hidden]"


def test_every_error_hides_secrets_in_addresses() -> None:
    url = f"https://u:{TOKEN}@example.com/rest?token={TOKEN}#{TOKEN}"
    made: list[JiraError] = [
        errors.JiraError(url),
        errors.NotCloud(url, "9.12"),
        errors.NoJira(url),
        errors.LoginBlocked(url, 401),
        errors.TokenOfOtherSite(url, url),
        errors.ConnectFailed(url, "x"),
        errors.TlsFailed(url, "x"),
        errors.ConnectionLost(url, "x"),
        errors.NoAnswer(url, 1.0),
        errors.Redirected(url, url),
        errors.BadAnswer(url, "x"),
        errors.IssuesNotReturned(url, (("A-1", "x"),)),
        errors.ServerError(url, 500),
        errors.Rejected(url, 418),
        errors.RateLimited(url, 429, reason="jira-burst-based"),
        *(kind(url, status) for status, kind in errors.REJECTION_BY_STATUS.items()),
    ]
    kinds = {type(error) for error in made}
    assert kinds == {value for value in vars(errors).values() if _is_error(value)}
    for error in made:
        assert_hidden(shown(error))
        assert "https://example.com/rest" in str(error)
        assert "\n" not in str(error)
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, errors.JiraError)
