"""Test ``ticketr open``, with a function in the place of a browser."""

from __future__ import annotations

import pytest
from fakes.pulls import URL
from fakes.users import User

ADDRESS = f"{URL}/browse/DEMO-9"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    addresses: list[str] = []

    def note(url: str) -> bool:
        addresses.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", note)
    return addresses


def test_the_address_of_an_issue_is_opened(someone: User, opened: list[str]) -> None:
    assert someone.runs("open", "demo-9") == (0, "", "")
    assert opened == [ADDRESS]


def test_the_address_can_be_printed_instead(someone: User, opened: list[str]) -> None:
    assert someone.runs("open", "DEMO-9", "--print") == (0, f"{ADDRESS}\n", "")
    assert opened == []


def test_without_a_browser_the_error_has_the_address(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda _: False)

    assert someone.runs("open", "DEMO-9") == (
        1,
        "",
        f"ticketr: no browser can be started here (set BROWSER); the address is {ADDRESS}\n",
    )


def test_what_is_no_key_is_wrong_usage(someone: User, opened: list[str]) -> None:
    told = someone.runs("open", "../x")

    assert told.code == 2
    assert told.err.startswith("ticketr: ../x is not a key; a key looks like PROJ-123\ntry ")
    assert opened == []


def test_a_site_that_only_a_file_names_is_not_opened(
    someone: User, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    for name in ("JIRA_URL", "JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_PROJECT_KEY"):
        monkeypatch.delenv(name)
    someone.writes("ticketr.toml", 'site = "https://elsewhere.example"\n')

    assert someone.runs("open", "DEMO-9").code == 2
    assert opened == []
