from __future__ import annotations

import base64

import pytest
from hypothesis import given, strategies as st
from sandbox_client import open_client

from jira_sandbox.auth import EMAIL, TOKEN, is_known

USERS = {EMAIL: TOKEN}


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header", [basic("demo@example.com:demo"), basic("Demo@Example.com:demo").replace("B", "b", 1)]
)
def test_the_demo_user_is_known(header: str) -> None:
    assert is_known(header, USERS)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic %%%",
        "Basic ZGVtbw",
        "Bearer demo",
        basic("demo@example.com:"),
        basic("demo@example.com:Demo"),
        basic("demo@example.com:demo "),
        basic("demo@example.com"),
        basic("other@example.com:demo"),
        basic(":demo"),
        "Basic " + base64.b64encode(b"\xff\xfe:demo").decode(),
    ],
)
def test_other_credentials_are_unknown(header: str | None) -> None:
    assert not is_known(header, USERS)


@given(st.text())
def test_no_header_makes_the_check_fail(header: str) -> None:
    assert is_known(header, USERS) == (header == basic(f"{EMAIL}:{TOKEN}"))


async def test_the_server_info_needs_no_login_but_takes_no_wrong_one() -> None:
    async with open_client(auth=None) as client:
        anonymous = await client.get("serverInfo")
    async with open_client(auth=("x", "demo")) as client:
        wrong = await client.get("serverInfo")

    assert (anonymous.status_code, wrong.status_code) == (200, 401)
    assert anonymous.json()["deploymentType"] == "Cloud"


@pytest.mark.parametrize("path", ["myself", "field", "search/jql?jql=key=DEMO-1", "nowhere"])
@pytest.mark.parametrize("auth", [None, ("demo@example.com", "wrong"), ("x", "demo")])
async def test_without_the_token_everything_is_401(path: str, auth: tuple[str, str] | None) -> None:
    async with open_client(auth=auth) as client:
        response = await client.get(path)

    assert response.status_code == 401
    assert response.json() == {
        "errorMessages": ["Client must be authenticated to access this resource."],
        "errors": {},
    }
    assert "date" in response.headers
