from __future__ import annotations

import pytest

from ticketr.app.config import (
    BadSetting,
    checked_cloud_id,
    checked_email,
    checked_jql,
    checked_name,
    checked_project,
    checked_site,
)
from ticketr.app.config.checks import checked_strategy


@pytest.mark.parametrize(
    "url",
    [
        "example.atlassian.net",
        "ftp://x",
        "https://",
        "file:///etc",
        "https://a b",
        "https://a\tb",
        "https://good.example\\.evil.example",
        "https://good.example/../x",
        "https://www.\u0430tlassian.net",
    ],
)
def test_an_invalid_site_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match=r"JIRA_URL is .*write it as https://"):
        checked_site("JIRA_URL", url)


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
    with pytest.raises(BadSetting, match=r"JIRA_URL is .*: leave ") as caught:
        checked_site("JIRA_URL", url)

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value)


@pytest.mark.parametrize("url", ["http://[::1", "https://example.com:99999", "https://x:port"])
def test_an_address_that_cannot_be_split_is_a_bad_setting(url: str) -> None:
    with pytest.raises(BadSetting, match="JIRA_URL is "):
        checked_site("JIRA_URL", url)


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("HTTPS://Example.Atlassian.net/Jira//", "https://example.atlassian.net/Jira"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:/", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:443/x", "http://[::1]:443/x"),
    ],
)
def test_one_site_has_one_spelling(url: str, site: str) -> None:
    assert checked_site("JIRA_URL", url) == site
    assert checked_site("JIRA_URL", site) == site


@pytest.mark.parametrize("project", ["demo", "A", "D EMO", 'X" OR 1', "../x", "", "DEMO\n"])
def test_an_invalid_project_key_is_refused(project: str) -> None:
    with pytest.raises(BadSetting, match=r"(?s)--project is .*upper-case"):
        checked_project("--project", project)


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "a/b", "x" * 65, "acme\n"])
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(BadSetting, match="use letters, digits"):
        checked_name("NAME", name)


@pytest.mark.parametrize("cloud_id", ["", "a/b", "..", "a?b", "a b"])
def test_text_that_would_change_an_address_is_no_cloud_id(cloud_id: str) -> None:
    with pytest.raises(BadSetting, match="a cloud ID is letters"):
        checked_cloud_id("--cloud-id", cloud_id)


@pytest.mark.parametrize("email", ["me:x@example.com", "me@example.com\r", "a b"])
def test_text_that_would_break_a_login_is_no_email(email: str) -> None:
    with pytest.raises(BadSetting, match="e-mail address of your account"):
        checked_email("--email", email)


def test_a_query_of_nothing_is_refused() -> None:
    with pytest.raises(BadSetting, match="the query is empty"):
        checked_jql("--jql", " \n")


def test_a_misspelt_strategy_gets_the_nearest_one() -> None:
    with pytest.raises(BadSetting, match=r"one of mine, jira, both \(did you mean jira\?\)"):
        checked_strategy("strategy", "Jiras")
    with pytest.raises(BadSetting, match=r"one of mine, jira, both$"):
        checked_strategy("strategy", "zzz")
