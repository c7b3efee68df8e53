from __future__ import annotations

import pytest

from ticketr.config import BadSetting, ConfigError, MissingSetting, load_settings

WHOLE = {
    "JIRA_URL": "https://example.atlassian.net/",
    "JIRA_EMAIL": "me@example.com",
    "JIRA_API_TOKEN": "s3cret",
    "JIRA_PROJECT_KEY": "DEMO",
}


def test_the_names_of_the_original_are_read() -> None:
    settings = load_settings(WHOLE)

    assert settings.url == "https://example.atlassian.net"
    assert settings.email == "me@example.com"
    assert settings.token == "s3cret"
    assert settings.project == "DEMO"


def test_the_other_spellings_of_token_and_project_are_read_too() -> None:
    environ = {name: WHOLE[name] for name in ("JIRA_URL", "JIRA_EMAIL")}

    settings = load_settings({**environ, "JIRA_API_KEY": "key", "JIRA_PROJECT": "OPS"})

    assert (settings.token, settings.project) == ("key", "OPS")


@pytest.mark.parametrize("name", ["JIRA_URL", "JIRA_EMAIL", "JIRA_API_TOKEN"])
def test_a_missing_setting_is_named(name: str) -> None:
    environ = {**WHOLE, name: "  "}

    with pytest.raises(MissingSetting, match=rf"{name}.* is not set: "):
        load_settings(environ)


def test_no_project_is_needed_where_a_query_says_what_to_pull() -> None:
    environ = {name: value for name, value in WHOLE.items() if name != "JIRA_PROJECT_KEY"}

    assert load_settings(environ).project is None


def test_the_command_line_wins_over_the_environment() -> None:
    assert load_settings(WHOLE, project="OPS").project == "OPS"


@pytest.mark.parametrize("project", ["demo", "A", "D EMO", 'X" OR 1', "../x"])
def test_what_cannot_be_a_project_key_is_refused(project: str) -> None:
    with pytest.raises(BadSetting, match=r"--project is .*upper-case"):
        load_settings(WHOLE, project=project)


@pytest.mark.parametrize(
    "url",
    ["example.atlassian.net", "ftp://x", "https://", "file:///etc", "https://a b", "https://a\tb"],
)
def test_what_cannot_be_a_site_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match=r"JIRA_URL is .*write it as https://"):
        load_settings({**WHOLE, "JIRA_URL": url})


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@example.com",
        "me:hunter2@example.com",
        "https//me:hunter2@example.com",
        "https://me:hunter2@[::1",
        "https://example.com/?token=hunter2",
        "https://example.com/#hunter2",
    ],
)
def test_a_secret_in_the_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match=r"JIRA_URL is .*: leave ") as caught:
        load_settings({**WHOLE, "JIRA_URL": url})

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value)


@pytest.mark.parametrize("url", ["http://[::1", "https://example.com:99999", "https://x:port"])
def test_an_address_that_cannot_be_split_is_a_bad_setting(url: str) -> None:
    with pytest.raises(BadSetting, match="JIRA_URL is "):
        load_settings({**WHOLE, "JIRA_URL": url})


def test_one_site_has_one_spelling() -> None:
    settings = load_settings({**WHOLE, "JIRA_URL": "HTTPS://Example.Atlassian.net/Jira//"})

    assert settings.url == "https://example.atlassian.net/Jira"


def test_the_token_is_in_no_repr() -> None:
    assert "s3cret" not in repr(load_settings(WHOLE))
