"""Test the workspaces that the app is started with, and how the later ones are opened."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from fakes.keyrings import keyring_in_use, no_keyring
from fakes.processes import sandbox_process

from ticketr import open_job_queue
from ticketr.app.cli.workspace_list import AppWorkspaces, app_workspaces
from ticketr.app.config import BadSetting
from ticketr.app.tui.job_request import JobKind, JobRequest
from ticketr.app.tui.services.workspaces import ClosedWorkspace, OpenWorkspace

PULL = JobRequest(JobKind.PULL)
LOGIN = {
    "JIRA_EMAIL": "demo@example.com",
    "JIRA_API_TOKEN": "demo",
    "JIRA_PROJECT_KEY": "DEMO",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A user with three workspaces, who stands in the second of them."""
    for name in [each for each in os.environ if each.startswith("JIRA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(tmp_path / "config"))
    for name in ("ops", "work", "shop"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with keyring_in_use(no_keyring()):
        yield tmp_path


def configure(home: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every workspace this site, and the environment the login for it."""
    config = home / "config"
    config.mkdir(mode=0o700)
    text = "".join(
        f'[workspaces.{name}]\nfolder = "{home / name}"\nsite = "{url}"\n'
        for name in ("ops", "work", "shop")
    )
    (config / "config.toml").touch(mode=0o600)
    (config / "config.toml").write_text(text)
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JIRA_URL", url)


def closed(each: OpenWorkspace | ClosedWorkspace) -> ClosedWorkspace:
    assert isinstance(each, ClosedWorkspace)
    return each


def test_the_current_workspace_comes_first_and_open_and_the_others_follow_closed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(home, "http://127.0.0.1:9", monkeypatch)
    (home / "ops" / "ticketr.toml").write_text("this is not TOML")

    found = app_workspaces()

    assert [each.name for each in found.workspaces] == ["work", "ops", "shop"]
    assert found.roots == (home / "work", home / "ops", home / "shop")
    assert isinstance(found.workspaces[0], OpenWorkspace)
    assert closed(found.workspaces[1]).site == "http://127.0.0.1:9"


def test_a_workspace_of_the_environment_gets_a_name_that_no_other_has(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(home, "http://127.0.0.1:9", monkeypatch)
    (home / "elsewhere" / "shop").mkdir(parents=True)
    (home / "elsewhere" / "shop" / "ticketr.toml").touch()
    monkeypatch.chdir(home / "elsewhere" / "shop")

    names = [each.name for each in app_workspaces().workspaces]

    assert names == ["shop-2", "ops", "shop", "work"]


async def test_a_workspace_whose_folder_is_gone_cannot_be_opened_and_says_why(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(home, "http://127.0.0.1:9", monkeypatch)
    (home / "shop").rmdir()
    *_, shop = _outside_trio()

    with pytest.raises(BadSetting, match="it is gone: bring it back"):
        await closed(shop).open()


def _outside_trio() -> tuple[OpenWorkspace | ClosedWorkspace, ...]:
    """Return the workspaces, of which none may be asked for a token in the current task."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(app_workspaces).result().workspaces


async def test_a_token_is_looked_up_for_the_first_job_and_its_lack_is_the_failure_of_the_job(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(home, "http://127.0.0.1:9", monkeypatch)
    (home / "shop" / "ticketr.toml").write_text('jql = "labels = web"')
    *_, shop = _outside_trio()
    monkeypatch.delenv("JIRA_API_TOKEN")
    monkeypatch.delenv("JIRA_PROJECT_KEY")
    opened = await closed(shop).open()
    async with open_job_queue() as queue:
        handle = await queue.submit(opened.make_job(PULL, lambda _: None))
        ended = await handle.wait()

    assert ended.name == "Pull shop"
    assert ended.error is not None
    assert "no token is stored for http://127.0.0.1:9" in ended.error.message


async def test_its_jobs_run_with_the_login_that_was_found(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sandbox_process(tickets=3) as url:
        configure(home, url, monkeypatch)
        (home / "shop" / "ticketr.toml").write_text('[aliases]\nsecond = "key = DEMO-2"\n')
        *_, shop = _outside_trio()
        opened = await closed(shop).open()
        async with open_job_queue() as queue:
            for _ in range(2):
                await queue.run(opened.make_job(PULL, lambda _: None))
        statuses = await opened.read_statuses("DEMO-1")
        found = await opened.search("@second")

    assert len(found) == 1
    assert statuses == ("In Progress",)
    assert opened.draft_type == "Task"
    assert len(list((home / "shop").glob("DEMO-*.md"))) > 0
    assert (opened.site, opened.address, opened.project) == (url, url, "DEMO")


def test_where_nothing_is_configured_there_is_no_workspace(home: Path) -> None:
    assert app_workspaces() == AppWorkspaces((), ())


def test_outside_of_all_workspaces_with_none_in_use_all_of_them_are_offered(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(home, "http://127.0.0.1:9", monkeypatch)
    monkeypatch.delenv("JIRA_URL")
    (home / "elsewhere").mkdir()
    monkeypatch.chdir(home / "elsewhere")

    names = [closed(each).name for each in app_workspaces().workspaces]

    assert names == ["ops", "shop", "work"]
