"""Test values of settings: checks, near names, the environment, aliases, and names for a completion."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from rows import for_each

from ticketr.app import config
from ticketr.app.config import (
    BUILT_IN_ALIASES,
    BadFile,
    BadSetting,
    SiteNotConfirmed,
    checked_cloud_id,
    checked_email,
    checked_jql,
    checked_project,
    checked_site,
    checked_workspace_name,
    expand_aliases,
    find_known_keys,
    find_value_names,
    read_jira_variables,
    read_user_config,
    read_workspace_file,
    remove_alias,
    resolve_workspace,
    store_user_alias,
)
from ticketr.app.config.checks import checked_canonical_strategy, close_names, nearest
from ticketr.app.config.state_names import MAX_TITLES
from ticketr.app.jira import Issue
from ticketr.app.sync import State, Store
from ticketr.app.sync.state.state import IssueRow, MergeBase


@for_each(
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
        checked_workspace_name("NAME", name)


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
        checked_canonical_strategy("strategy", "Jiras")
    with pytest.raises(BadSetting, match=r"one of mine, jira, both$"):
        checked_canonical_strategy("strategy", "zzz")


def test_the_nearest_name_does_not_mind_capitals() -> None:
    assert nearest("JQl", ["site", "jql"]) == "jql"
    assert nearest("zzzz", ["site", "jql"]) is None


def test_the_nearest_name_does_not_mind_how_an_accent_is_written() -> None:
    assert nearest("Pri\u006f\u0308", ["Pri\u00f6"]) == "Pri\u00f6"


def test_several_close_names_come_best_first() -> None:
    assert close_names("week 3", ["Week 1", "Month", "Week 3"], most=2) == ["Week 3", "Week 1"]


def test_an_error_about_a_file_names_the_place() -> None:
    assert str(BadFile("f.toml", 3, "wrong")) == "f.toml:3: wrong"
    assert str(BadFile("f.toml", None, "wrong")) == "f.toml: wrong"


def test_the_advice_can_be_pasted_into_a_shell() -> None:
    error = SiteNotConfirmed("https://x", "/my work/it's/ticketr.toml", None, None)

    assert str(error).endswith(
        "ticketr workspace add --folder '/my work/it'\"'\"'s' --site https://x"
    )


WHOLE = {
    "JIRA_URL": "https://example.atlassian.net/",
    "JIRA_EMAIL": "me@example.com",
    "JIRA_API_TOKEN": "s3cret",
    "JIRA_PROJECT_KEY": "DEMO",
    "JIRA_STORY_TYPE": "Story",
    "JIRA_SUBTASK_TYPE": "Step",
}


def test_the_names_of_the_original_are_read() -> None:
    environment = read_jira_variables(WHOLE)

    assert environment.site == "https://example.atlassian.net"
    assert environment.email == "me@example.com"
    assert environment.token == "s3cret"
    assert environment.project == "DEMO"
    assert (environment.default_draft_type, environment.default_subtask_type) == ("Story", "Step")


def test_the_other_spellings_of_token_and_project_are_read_too() -> None:
    environment = read_jira_variables({"JIRA_API_KEY": "key", "JIRA_PROJECT": "OPS"})

    assert (environment.token, environment.project) == ("key", "OPS")


def test_a_missing_or_blank_variable_is_none() -> None:
    environment = read_jira_variables({"JIRA_URL": "  ", "JIRA_STORY_TYPE": ""})

    assert (environment.site, environment.email, environment.token) == (None, None, None)
    assert (environment.default_draft_type, environment.default_subtask_type) == (None, None)


def test_the_token_is_in_no_repr() -> None:
    assert "s3cret" not in repr(read_jira_variables(WHOLE))


ALIASES = {
    "team": "project = A AND @open",
    "open": "resolution = EMPTY",
    "late": "due < now() ORDER BY due",
    "note": 'text ~ "order by @open"',
    "loop": "@pool",
    "pool": "x = 1 OR @loop",
    "lost": "@tema",
}


def expanded(query: str) -> str:
    return expand_aliases("--jql", query, ALIASES)


@for_each(
    ("query", "result"),
    [
        ("project = A", "project = A"),
        ("@open", "resolution = EMPTY"),
        (" @late ", "due < now() ORDER BY due"),
        ("@team", "project = A AND (resolution = EMPTY)"),
        ("NOT @team ORDER BY key", "NOT (project = A AND (resolution = EMPTY)) ORDER BY key"),
        ("(@open)OR @open", "((resolution = EMPTY))OR (resolution = EMPTY)"),
        ("x = \"@open\" OR y = '@open'", "x = \"@open\" OR y = '@open'"),
        (r'x = "a\"@open" AND @open', r'x = "a\"@open" AND (resolution = EMPTY)'),
        ("x = mia@open.example", "x = mia@open.example"),
        ("@note AND y = 1", '(text ~ "order by @open") AND y = 1'),
    ],
)
def test_an_alias_stands_for_its_query(query: str, result: str) -> None:
    assert expanded(query) == result


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("@openn", "--jql is '@openn': there is no such alias; did you mean @open? (see 'ticketr"),
        ("x = 1 AND @lost", "'@tema': there is no such alias; did you mean @team?"),
        ("@nothing-like-it", "there is no such alias (see 'ticketr alias')"),
        ("@loop", "'@loop': the alias stands for itself (@loop > @pool > @loop)"),
        ("x = 1 OR @pool", "the alias stands for itself (@pool > @loop > @pool)"),
        (
            "x = 1 AND @late",
            "it ends in ORDER BY (due < now() ORDER BY due), so it cannot be a part",
        ),
    ],
)
def test_what_cannot_be_replaced_is_refused(query: str, problem: str) -> None:
    with pytest.raises(BadSetting) as caught:
        expanded(query)

    assert problem in str(caught.value)


def test_aliases_that_double_each_other_end_in_an_error() -> None:
    doubling = {f"a{n}": f"@a{n + 1} OR @a{n + 1}" for n in range(40)} | {"a40": "x = 1"}

    with pytest.raises(BadSetting, match="longer than"):
        expand_aliases("--jql", "@a0", doubling)


def test_the_users_aliases_are_kept_in_the_users_config(folder: Path) -> None:
    store_user_alias(folder, "bugs", "type = Bug")
    store_user_alias(folder, "mine", "assignee = me")
    store_user_alias(folder, "bugs", 'type = "Bug"')

    assert read_user_config(folder).aliases == {"bugs": 'type = "Bug"', "mine": "assignee = me"}
    assert remove_alias(folder, "bugs")
    assert not remove_alias(folder, "bugs")
    assert remove_alias(folder, "mine")
    assert "aliases" not in (folder / "config.toml").read_text()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('"a b" = "x = 1"', "letters, digits, '-' and '_' alone"),
        ('a = ""', "the query is empty"),
        ("a = 1", "text in quotes"),
    ],
)
def test_a_wrong_alias_is_refused_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    (tmp_path / "ticketr.toml").write_text(f"[aliases]\n{line}\n")

    with pytest.raises((BadFile, BadSetting)) as caught:
        read_workspace_file(tmp_path)

    assert problem in str(caught.value)
    assert "ticketr.toml:2" in str(caught.value)


def test_the_users_alias_goes_before_the_teams_which_changes_no_built_in_one(
    folder: Path, tmp_path: Path
) -> None:
    store_user_alias(folder, "ours", "project = B")
    file = 'jql = "@ours AND @recent AND @mine"\n[aliases]\nours = "project = A"\nmine = "x = 1"\n'
    (tmp_path / "ticketr.toml").write_text(file)

    found = resolve_workspace({"TICKETR_CONFIG_DIR": str(folder)}, tmp_path)

    assert (
        found.jql
        == f"(project = B) AND ({BUILT_IN_ALIASES['recent']}) AND ({BUILT_IN_ALIASES['mine']})"
    )
    assert found.all_aliases == {**BUILT_IN_ALIASES, "ours": "project = B"}
    assert "ticketr.toml:4: ignored: @mine is built in" in found.file.ignored_alias_warnings[0]


def test_an_alias_may_be_called_like_a_secret(tmp_path: Path) -> None:
    (tmp_path / "ticketr.toml").write_text('[aliases]\ntokens = "text ~ token"\n')

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.aliases == {"tokens": "text ~ token"}


COUNT = MAX_TITLES + 20


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"TICKETR_CONFIG_DIR": str(tmp_path / "config")}


@pytest.fixture
def root(tmp_path: Path, environ: dict[str, str]) -> Path:
    """Return a workspace that knows many issues."""
    folder = tmp_path / "work"
    mark = config.read_or_make_owner_mark(config.config_folder(environ))
    store = Store(folder, config.STATE_FOLDER, mark)
    store.make_state_folder()
    state = State(store.state_path, mark)
    for number in range(1, COUNT + 1):
        fields = {
            "summary": f"Issue {number}",
            "status": {"name": "Done" if number % 2 else "To Do"},
            "assignee": {"displayName": "Zoë"} if number % 3 else None,
        }
        issue = Issue(str(number), f"AB-{number}", fields)
        row = IssueRow(issue)
        state.record(str(number), MergeBase(f"AB-{number}.md", "x"), [row], seen=0.0)
    state.close()
    return folder


def test_keys_come_in_the_order_of_their_numbers(root: Path, environ: dict[str, str]) -> None:
    found = find_known_keys(root, environ, "AB-")

    assert found == [(f"AB-{number}", "") for number in range(1, COUNT + 1)]


def test_few_keys_come_with_their_titles(root: Path, environ: dict[str, str]) -> None:
    assert find_known_keys(root, environ, "AB-8") == [("AB-8", "Issue 8"), ("AB-80", "Issue 80")]
    assert find_known_keys(root, environ, "AB-%") == []
    assert find_known_keys(root, environ, "XY") == []


def test_statuses_and_people_come_once(root: Path, environ: dict[str, str]) -> None:
    assert find_value_names(root, environ, "status") == ["Done", "To Do"]
    assert find_value_names(root, environ, "assignee") == ["Zoë"]


def test_a_folder_without_a_state_gives_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    assert find_known_keys(tmp_path, environ, "") == []
    config.read_or_make_owner_mark(config.config_folder(environ))
    assert find_known_keys(tmp_path, environ, "") == []
    assert not (tmp_path / config.STATE_FOLDER).exists()


def test_a_file_of_somebody_else_gives_nothing(
    root: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    other = {"TICKETR_CONFIG_DIR": str(tmp_path / "other")}
    assert find_known_keys(root, other, "") == []
    config.read_or_make_owner_mark(config.config_folder(other))
    assert find_known_keys(root, other, "") == []


@pytest.mark.parametrize(
    "change",
    [
        "CREATE VIEW v AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON issue BEGIN SELECT 1; END",
        "DROP TABLE issue",
    ],
)
def test_a_file_that_ticketr_has_not_made_so_gives_nothing(
    root: Path, environ: dict[str, str], change: str
) -> None:
    with sqlite3.connect(root / config.STATE_FOLDER / "state.db") as db:
        db.execute(change)
    db.close()

    assert find_known_keys(root, environ, "") == []


def test_a_link_or_what_is_no_database_gives_nothing(
    root: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    path = root / config.STATE_FOLDER / "state.db"
    away = path.rename(tmp_path / "away.db")
    path.symlink_to(away)
    assert find_known_keys(root, environ, "") == []
    path.unlink()
    path.write_text("no database")
    assert find_value_names(root, environ, "status") == []
