"""Test how settings become a login and the settings of jobs."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from fakes.keyrings import keyring_in_use, no_keyring

from ticketr.app.cli.job_options import CommonOptions, workspace_arguments
from ticketr.app.cli.settings import resolve, sign_in
from ticketr.app.config import (
    LoginEntry,
    MissingSetting,
    TokenFailed,
    WorkspaceEntry,
    store_workspace,
)
from ticketr.app.sync import PullJob, Side

SITE = "https://acme.atlassian.net"
EMPTY = ("JIRA_API_KEY", "JIRA_PROJECT", "JIRA_STORY_TYPE", "JIRA_SUBTASK_TYPE")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """Return the current folder, a workspace, of a user whose environment has all settings."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "ticketr.toml").touch()
    monkeypatch.chdir(root)
    monkeypatch.setattr("os.isatty", lambda _: False)
    settings = {
        "TICKETR_CONFIG_DIR": str(tmp_path / "config"),
        "JIRA_URL": SITE,
        "JIRA_EMAIL": "me@acme.com",
        "JIRA_API_TOKEN": "canary",
        "JIRA_PROJECT_KEY": "DEMO",
        **dict.fromkeys(EMPTY, ""),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with keyring_in_use(no_keyring()):
        yield root


def pull(*, jql: str | None = None, **options: Any) -> PullJob:
    """Return a pull as the command makes it."""
    return PullJob(**workspace_arguments(CommonOptions(**options), jql=jql))


def add(root: Path, **login: object) -> None:
    entry = WorkspaceEntry("acme", root, SITE, LoginEntry(**login))  # type: ignore[arg-type]  # texts
    store_workspace(root.parent / "config", entry)


def test_in_a_workspace_the_environment_alone_is_enough(root: Path) -> None:
    job = pull()

    assert (job.root, job.project, job.jql) == (root, "DEMO", None)
    assert (job.credentials.site, job.credentials.email) == (SITE, "me@acme.com")
    assert job.credentials.token == "canary"
    assert job.site == SITE
    assert "canary" not in repr(job)


def test_the_nearest_setting_decides_what_is_pulled(root: Path) -> None:
    (root / "ticketr.toml").write_text('project = "FILE"\njql = "labels = a"\n')

    assert pull().jql == "labels = a"
    assert pull(jql="labels = b").jql == "labels = b"
    by_project = pull(project="OPS")
    assert (by_project.project, by_project.jql) == ("OPS", None)


def test_a_pull_gets_all_settings_of_the_workspace(root: Path) -> None:
    text = f'site = "{SITE}"\nfields = ["Team"]\n[sync]\nstrategy = "remote"\n'
    (root / "ticketr.toml").write_text(text)

    job = pull()

    assert (job.fields, job.prefer) == (("Team",), Side.REMOTE)
    assert (job.story_type, job.subtask_type) == ("Task", "Sub-task")


def test_a_strategy_that_prefers_neither_side_is_none(root: Path) -> None:
    (root / "ticketr.toml").write_text('[sync]\nstrategy = "merge"\n')

    assert pull().prefer is None


def test_the_options_strategy_counts_more_than_the_files(root: Path) -> None:
    (root / "ticketr.toml").write_text('[sync]\nstrategy = "remote"\n')

    assert pull(strategy="mine").prefer is Side.LOCAL
    assert pull(strategy="merge").prefer is None


def test_a_token_with_scopes_goes_to_the_gateway_and_links_to_the_site(root: Path) -> None:
    add(root, cloud_id="11-22")

    job = pull()

    assert job.credentials.site == "https://api.atlassian.com/ex/jira/11-22"
    assert job.site == SITE


def test_a_bearer_token_has_no_account(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(root, email="")
    monkeypatch.setenv("JIRA_EMAIL", "")

    credentials = sign_in(resolve())

    assert credentials.authorization(f"{SITE}/rest") == "Bearer canary"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("JIRA_URL", "JIRA_URL is not set"),
        ("JIRA_EMAIL", "JIRA_EMAIL is not set"),
        ("JIRA_API_TOKEN", "JIRA_API_TOKEN or JIRA_API_KEY is not set: an API token"),
        ("JIRA_PROJECT_KEY", "--project is not set: which project, or give a query"),
    ],
)
def test_a_missing_setting_is_named(
    name: str, words: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "")

    with pytest.raises(MissingSetting, match=words):
        pull()


def test_a_token_for_another_site_differs_from_no_token(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(root, email="me@acme.com")
    other = WorkspaceEntry("other", root.parent, "https://other.example")
    store_workspace(root.parent / "config", other)
    monkeypatch.setenv("JIRA_URL", "")

    with pytest.raises(MissingSetting, match=f"what is set is not for {SITE}: set JIRA_URL too"):
        sign_in(resolve())


def test_a_failing_token_source_is_reported_without_a_terminal(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(root, email="me@acme.com", token_command=("false",))
    monkeypatch.setenv("JIRA_API_TOKEN", "")

    with pytest.raises(TokenFailed, match="'false' ended with exit code 1"):
        sign_in(resolve())
