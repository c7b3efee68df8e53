"""The messages of errors, and how they show addresses and a server's text."""

from __future__ import annotations

import copy
import pickle

import pytest
from rows import for_each

from ticketr.app.jira import errors
from ticketr.app.jira.errors import MAX_SHOWN_CHARACTERS, bare_url, clean_line
from ticketr.app.jira.retry import may_have_happened

SITE = "https://example.atlassian.net"
BASE = f"{SITE}/rest/api/3"
URL = f"{BASE}/myself"


@pytest.mark.parametrize("seconds", [0.0, 86401.0, 999999999999.0])
def test_a_wait_of_no_time_or_of_days_is_not_named(seconds: float) -> None:
    error = errors.RateLimited(URL, 429, retry_after=seconds)
    assert str(error).endswith(f"wait and try again ({URL})")


@for_each(
    ("error", "words"),
    [
        (
            errors.AuthenticationFailed(URL, 401),
            ["401", "e-mail", "API token", errors.TOKEN_PAGE_URL],
        ),
        (errors.Forbidden(URL, 403), ["403", "permission"]),
        (errors.LoginBlocked(URL, 403), ["403", "log in to Jira in a browser", "captcha"]),
        (
            errors.NotFound(f"{BASE}/issue/A-1/worklog", 404, ("Gone.",)),
            ["example.atlassian.net does not have A-1 (404: Gone.): check the key"],
        ),
        (errors.NotFound(f"{BASE}/project/NOPE", 404), ["does not have NOPE", "check the key"]),
        (errors.NotFound(URL, 404), ["404", "is this the address of a Jira site?"]),
        (errors.RateLimited(URL, 429), ["429", "wait and try again"]),
        (errors.RateLimited(URL, 429, retry_after=59.2), ["try again in 60 s"]),
        (errors.RateLimited(URL, 429, retry_after=400.0), ["try again in 7 minutes"]),
        (errors.RateLimited(URL, 429, retry_after=8000.0), ["try again in 3 hours"]),
        (errors.Rejected(URL, 409), ["409", "locked it", "try again"]),
        (errors.Rejected(URL, 413), ["413", "larger than the site takes", "limit"]),
        (errors.Rejected(URL, 418), ["418", "please report it"]),
        (
            errors.Rejected(URL, 405, is_from_jira=False),
            ["405", "is this the address of a Jira site?", "ask who runs the site"],
        ),
        (
            errors.Rejected(URL, 407, is_from_jira=False),
            ["407", "name and password", "HTTPS_PROXY"],
        ),
        (errors.NotCloud(SITE, "9.1"), ["is Jira Data Center (version 9.1); ticketr works with"]),
        (errors.NotCloud(SITE, ""), ["is Jira Data Center; ticketr works with Jira Cloud only"]),
        (errors.NoJira(SITE), ["no Jira answers at", "https://you.atlassian.net"]),
        (errors.ServerError(URL, 502, "upstream"), ["502: upstream", "try again later"]),
        (errors.ServerError(URL, 503, retry_after=3600.0), ["503", "try again in 60 minutes"]),
        (errors.ConnectFailed(URL, "refused"), ["example.atlassian.net", "refused", "network"]),
        (
            errors.ConnectFailed(URL, "refused", proxy="http://mia:secret@proxy.example:3128"),
            [
                "cannot reach example.atlassian.net through the proxy http://proxy.example:3128 (",
                "check HTTPS_PROXY",
            ],
        ),
        (errors.TlsFailed(URL, "self-signed certificate"), ["certificate", "SSL_CERT_FILE"]),
        (errors.NoAnswer(URL, 30.0), ["did not answer", "30 s"]),
        (
            errors.NoAnswer(URL, 300.0, has_answer_begun=True),
            ["did not finish", "300 s", "network"],
        ),
        (
            errors.IssuesNotReturned(URL, (("A-1", "too large"), ("A-2", "busy"))),
            ["could not give A-1 and 1 more (too large)", "try again later"],
        ),
        (errors.BadAnswer(URL, "a web page"), ["is this the address of a Jira site?"]),
        (
            errors.BadAnswer(URL, "a web page", transient=True),
            ["is this the address of a Jira site? If it is", "in trouble, try again later"],
        ),
        (
            errors.BadAnswer(URL, "a web page", transient=True, has_answered_as_jira_before=True),
            ["(a web page), although the site has before: ", "in trouble, try again later"],
        ),
        (
            errors.Redirected(URL, "/login.jsp"),
            [
                "to /login.jsp, which is a login page: is this the address",
                "log in there in a browser",
            ],
        ),
        (
            errors.Redirected(URL, "/login.jsp", has_answered_as_jira_before=True),
            ["which is a login page: log in there in a browser if a network or proxy asks for it"],
        ),
        (errors.Redirected(URL, ""), ["nowhere"]),
        (errors.JiraError(URL), ["failed"]),
    ],
)
def test_an_error_says_what_to_do_next(error: errors.JiraError, words: list[str]) -> None:
    for word in words:
        assert word in str(error)
    assert "/rest/" not in str(error).removesuffix(f" ({error.url})")


def test_a_servers_message_is_cleaned_and_clipped() -> None:
    wild = "\x1b[2J\x1b]0;title\x07red\u202e\nline" + "x" * 1000
    error = errors.BadRequest(URL, 400, (wild,) * 9, (("a\x1b[0m", wild),) * 30)
    assert len(error.messages) == 5
    assert len(error.field_errors) == 20
    assert error.field_errors[0][0] == "a"
    assert len(error.messages[0]) == MAX_SHOWN_CHARACTERS
    assert error.messages[0].startswith("red")
    assert error.messages[0].endswith("…")
    assert str(error).isprintable()
    assert len(str(error)) < 1000


def test_messages_about_fields_are_shown_with_the_field() -> None:
    error = errors.BadRequest(URL, 400, ("Bad.",), (("summary", "Too long."), ("x", "Odd.")))
    assert error.detail == "Bad.; summary: Too long.; x: Odd."


def test_the_host_of_an_address_without_one_is_the_address() -> None:
    assert errors.JiraError("example.com").host == "example.com"
    assert errors.JiraError(URL).host == "example.atlassian.net"


def test_a_refusal_for_speed_keeps_the_sites_reason_clean() -> None:
    error = errors.RateLimited(URL, 429, reason="jira-\x1b[2Jburst" + "x" * 200)
    assert error.reason.startswith("jira-burst")
    assert len(error.reason) == 80


UNSURE = (errors.ConnectionLost, errors.NoAnswer, errors.ServerError, errors.BadAnswer)


@for_each(
    "error",
    [
        errors.ConnectionLost(URL, "x"),
        errors.NoAnswer(URL, 1.0),
        errors.ServerError(URL, 500),
        errors.BadAnswer(URL, "x"),
        errors.ConnectFailed(URL, "x"),
        errors.TlsFailed(URL, "x"),
        errors.Redirected(URL, "x"),
        errors.Rejected(URL, 409),
        errors.TokenOfOtherSite(URL, URL),
        *(kind(URL, status) for status, kind in errors.REJECTION_BY_STATUS.items()),
        ValueError("x"),
    ],
)
def test_it_is_unsure_what_became_of_a_request_whose_answer_was_lost(error: Exception) -> None:
    assert may_have_happened(error) is isinstance(error, UNSURE)


@for_each(
    "error",
    [
        errors.JiraError(URL),
        errors.TokenOfOtherSite(URL, token_site="https://a:b@other.example/?token"),
        errors.NoAnswer(URL, seconds=3.0, has_answer_begun=True),
        errors.Redirected(URL, "/login", has_answered_as_jira_before=True),
        errors.BadAnswer(URL, problem="x" * 999, has_answered_as_jira_before=True, too_large=True),
        errors.IssuesNotReturned(URL, failed=(("A-1", "busy"),)),
        errors.ServerError(URL, status=503, retry_after=1.5),
        errors.NotFound(URL, 404, messages=("no",) * 9, is_from_jira=False),
        errors.NotCloud(URL, version="9.12.4"),
        errors.RateLimited(URL, 429, retry_after=2.0, reason="jira-burst-based"),
    ],
)
def test_an_error_is_copied_and_pickled_whole(error: errors.JiraError) -> None:
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error)), type(error)(*error.args)):
        assert (type(twin), vars(twin), twin.args) == (type(error), vars(error), error.args)
        assert str(twin) == str(error)
    assert isinstance(hash(error), int)  # contextlib and traceback keep errors in sets


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://a.b/c?d#e", "https://a.b/c"),
        ("https://u:p@a.b:8/c", "https://a.b:8/c"),
        ("u:p@a.b?x", "a.b"),
        ("https://[bad/", "https://[bad/"),
        ("", ""),
    ],
)
def test_an_address_is_bared(url: str, bare: str) -> None:
    assert bare_url(url) == bare
    assert bare_url(bare) == bare


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  a\nb  ", "a b"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("x" * 10, "x" * 10),
        ("x" * 11, "x" * 9 + "…"),
        ("x" * 8 + " yz", "x" * 8 + "…"),
        ("", ""),
    ],
)
def test_a_text_becomes_one_clean_line(text: str, line: str) -> None:
    assert clean_line(text, 10) == line


@for_each(
    ("url", "is_one"),
    [
        ("/login.jsp", True),
        ("https://id.example.com/login", True),
        ("https://login.example.com/", True),
        ("https://sso.example.com", True),
        ("https://example.com/SAML2/redirect", True),
        ("https://example.com/sign-in", True),
        ("login", True),
        ("https://example.com/jira", False),
        ("https://author.example.com/logins", False),
        ("", False),
    ],
)
def test_a_login_page_is_recognised_by_its_address(url: str, is_one: bool) -> None:
    assert errors.Redirected(SITE, url).is_login is is_one
