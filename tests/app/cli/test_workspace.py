"""Test ``ticketr workspace``, how commands use a workspace, and those that the app begins with."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.jira_app import Answer, ScriptedApp
from fakes.jira_raw import raw_site, reply
from fakes.keyrings import BrokenKeyring, MemoryKeyring, keyring_in_use, no_keyring
from fakes.processes import PROGRAM, environment, sandbox_thread
from trio.testing import MockClock

from ticketr import TicketrError, open_job_queue
from ticketr.app.cli.app import cli
from ticketr.app.cli.screen import find_app_workspaces
from ticketr.app.cli.workspace_add import check_login
from ticketr.app.config import (
    BadSetting,
    MissingSetting,
    SettingsAccessFailed,
    SiteNotConfirmed,
    TokenFailed,
    UnknownWorkspace,
    WorkspaceTaken,
    keychain,
)
from ticketr.app.jira import AuthenticationFailed, Credentials, Project, User as JiraUser
from ticketr.app.sync import UnknownFieldInSettings, UnknownProject, read_next_statuses
from ticketr.app.tui.effects import JobKind, JobRequest
from ticketr.app.tui.services.workspaces import ClosedWorkspace, OpenWorkspace

ME = "demo@example.com"
CANARY = "canary-7391-canary"


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    with sandbox_thread(tickets=20) as url:
        yield url


class User:
    """A user at a shell without a terminal: the program runs in this process."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.config = home / "config"
        self._monkeypatch = monkeypatch
        self.sets(JIRA_URL="", JIRA_EMAIL="", JIRA_API_TOKEN="", JIRA_API_KEY="")
        self.sets(JIRA_PROJECT_KEY="", JIRA_PROJECT="", TICKETR_CONFIG_DIR=str(self.config))
        self.goes("elsewhere")

    def sets(self, **variables: str) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def goes(self, name: str) -> Path:
        folder = self.home / name
        folder.mkdir(parents=True, exist_ok=True)
        self._monkeypatch.chdir(folder)
        return folder

    def runs(self, *arguments: str) -> int:
        code = cli.main([*arguments], prog_name="ticketr", standalone_mode=False)
        return code or 0


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[User]:
    monkeypatch.setattr("os.isatty", lambda _: False)
    with keyring_in_use(no_keyring()):
        yield User(tmp_path, monkeypatch)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what the commands printed on standard output since the last call."""
    return lambda: capsys.readouterr().out


def add(user: User, site: str, *arguments: str) -> None:
    """Add a workspace as a script does, with the token in the environment."""
    user.sets(JIRA_API_TOKEN="demo")
    user.runs(*("workspace", "add", "--site", site, "--email", ME, "--project", "DEMO"), *arguments)


def test_a_workspace_is_added_and_used_from_anywhere(user: User, site: str, printed: Any) -> None:
    add(user, site, "acme", "--folder", "../acme")
    told = printed()
    user.goes("somewhere")

    assert user.runs("pull", "--json") == 0

    folder = user.home / "acme"
    assert told.splitlines() == [
        f"acme: {folder}, {site}, as Demo User",
        "project DEMO: Harbour Books",
        "the token stays in the environment and is not stored",
        f"{folder}/ticketr.toml is for git; it holds no secret",
    ]
    assert json.loads(printed())["folder"] == str(folder)
    assert list(folder.glob("*.md"))
    assert not list((user.home / "somewhere").iterdir())
    assert f'site = "{site}"\nproject = "DEMO"\n' in (folder / "ticketr.toml").read_text()
    assert not (user.config / "tokens.toml").exists()


def test_without_a_name_it_is_called_as_its_folder(user: User, site: str, printed: Any) -> None:
    user.goes("My Tickets")

    add(user, site)

    assert printed().startswith(f"My-Tickets: {user.home / 'My Tickets'}, ")


def test_a_query_will_do_in_a_projects_place(user: User, site: str, printed: Any) -> None:
    folder = user.goes("acme")
    user.sets(JIRA_API_TOKEN="demo")
    user.runs("workspace", "add", "--site", site, "--email", ME, "--jql", "key = DEMO-1")
    printed()

    assert user.runs("pull", "--json") == 0

    assert json.loads(printed())["total"] == 1
    assert 'jql = "key = DEMO-1"' in (folder / "ticketr.toml").read_text()


def test_without_a_place_for_settings_nothing_is_left_behind(user: User, site: str) -> None:
    folder = user.goes("acme")
    user.config.symlink_to(user.home / "nowhere")

    with pytest.raises(SettingsAccessFailed, match=r"cannot make .*/config"):
        add(user, site)

    assert not list(folder.iterdir())


GO_SETTINGS_FILE = """\
field_mappings:
  Summary: summary
  State: status
  Points: {id: customfield_10016, type: number}
  Runs on: customfield_10031
"""


def test_settings_of_the_go_program_are_taken_over(user: User, site: str, printed: Any) -> None:
    folder = user.goes("acme")
    (folder / ".ticketr.yaml").write_text(GO_SETTINGS_FILE)
    add(user, site)

    assert "fields taken over from .ticketr.yaml: 2" in printed().splitlines()
    assert (
        (folder / "ticketr.toml")
        .read_text()
        .endswith(
            f'site = "{site}"\nproject = "DEMO"\ncomments = true\n\n'
            '[fields]\nPoints = "customfield_10016"\n"Runs on" = "customfield_10031"\n'
        )
    )
    assert user.runs("workspace", "add") == 0
    assert "taken over" not in printed()


def test_nothing_is_stored_if_the_site_lacks_a_field_of_the_go_program(
    user: User, site: str
) -> None:
    folder = user.goes("acme")
    (folder / ".ticketr.yaml").write_text("field_mappings:\n  Story Points: customfield_10010\n")

    with pytest.raises(
        UnknownFieldInSettings,
        match=r'acme/\.ticketr\.yaml: the ID of "Story Points" is that of no field',
    ):
        add(user, site)
    assert not (folder / "ticketr.toml").exists()


def test_fields_of_the_go_program_are_pulled_and_pushed_under_its_names(
    user: User, site: str, printed: Any
) -> None:
    folder = user.goes("acme")
    (folder / ".ticketr.yaml").write_text(GO_SETTINGS_FILE)
    add(user, site)
    printed()
    assert user.runs("pull", "--json") == 0
    path = next(each for each in sorted(folder.glob("*.md")) if "\nPoints: " in each.read_text())
    text = path.read_text()
    assert "Story Points" not in text

    path.write_text(re.sub(r"^Points: .*$", "Points: 7.5\nRuns on: iOS", text, flags=re.MULTILINE))
    printed()

    assert user.runs("push", "--json") == 0, printed()
    assert user.runs("pull", "--json") == 0
    assert "\nPoints: 7.5\n" in path.read_text()


def test_an_unknown_field_id_is_reported_with_its_place(
    user: User, site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = user.goes("acme")
    (folder / "ticketr.toml").write_text('[fields]\n"Story Points" = "customfield_10010"\n')
    user.sets(JIRA_URL=site, JIRA_EMAIL=ME, JIRA_API_TOKEN="demo", JIRA_PROJECT_KEY="DEMO")

    assert user.runs("pull") == 1

    told = capsys.readouterr().err
    assert f'{folder}/ticketr.toml: the ID of "Story Points" is that of no field' in told
    assert "the site's own is customfield_10016" in told


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ([], r"--site or JIRA_URL is not set"),
        (["--site", "{site}"], r"--email or JIRA_EMAIL is not set"),
        (["--site", "{site}", "--email", ME], r"JIRA_PROJECT_KEY or --project is not set"),
        (
            ["--site", "{site}", "--email", ME, "--project", "DEMO"],
            r"JIRA_API_TOKEN or JIRA_API_KEY is not set",
        ),
    ],
)
def test_in_a_script_a_missing_setting_is_named_and_nothing_is_written(
    options: list[str], named: str, user: User, site: str
) -> None:
    folder = user.goes("acme")

    with pytest.raises(MissingSetting, match=named):
        user.runs("workspace", "add", *(option.format(site=site) for option in options))

    assert list(folder.iterdir()) == []
    assert not user.config.exists()


@pytest.mark.parametrize(
    ("variables", "options", "error"),
    [
        ({"JIRA_API_TOKEN": CANARY}, [], AuthenticationFailed),
        ({"JIRA_API_TOKEN": "demo"}, ["--project", "NOPE"], UnknownProject),
    ],
)
def test_a_login_that_the_site_refuses_is_not_stored(
    variables: dict[str, str],
    options: list[str],
    error: type[TicketrError],
    user: User,
    site: str,
) -> None:
    folder = user.goes("acme")
    user.sets(**variables)

    with pytest.raises(error) as caught:
        user.runs(
            *("workspace", "add", "--site", site, "--email", ME, "--project", "DEMO"), *options
        )

    assert CANARY not in str(caught.value)
    assert list(folder.iterdir()) == []
    assert not user.config.exists()


def test_a_file_alone_confirms_no_site_in_a_script(user: User, site: str) -> None:
    folder = user.goes("clone")
    (folder / "ticketr.toml").write_text(f'site = "{site}"\nproject = "DEMO"\n')
    user.sets(JIRA_API_TOKEN="demo", JIRA_EMAIL=ME)

    for command in (["workspace", "add"], ["workspace", "check"], ["pull"]):
        with pytest.raises(SiteNotConfirmed, match=f"--site {site}"):
            user.runs(*command)
    user.runs("workspace", "add", "--site", site)

    assert user.runs("pull") == 0


def test_a_file_and_the_environment_that_name_the_same_site_need_no_more(
    user: User, site: str
) -> None:
    folder = user.goes("clone")
    (folder / "ticketr.toml").write_text(f'site = "{site}/"\nproject = "DEMO"\n')
    user.sets(JIRA_API_TOKEN="demo", JIRA_EMAIL=ME, JIRA_URL=site)

    assert user.runs("pull") == 0
    assert not (user.config / "config.toml").exists()


def test_a_name_and_a_folder_are_taken_once(user: User, site: str) -> None:
    add(user, site, "acme", "--folder", "../acme")

    with pytest.raises(WorkspaceTaken, match="acme is the workspace 'acme' already"):
        add(user, site, "acme", "--folder", "../other")
    with pytest.raises(WorkspaceTaken, match="acme is the workspace 'acme' already"):
        add(user, site, "other", "--folder", "../acme")
    add(user, site, "acme")  # to log in again


def test_an_account_that_the_environment_overrules_is_refused(user: User, site: str) -> None:
    user.sets(JIRA_EMAIL="other@example.com")

    with pytest.raises(BadSetting, match=r"is that of other@example.com"):
        add(user, site)


def test_the_list_has_stable_keys(user: User, site: str, printed: Any) -> None:
    add(user, site, "beta", "--folder", "../beta")
    add(user, site, "acme", "--folder", "../acme")
    (user.home / "acme" / "ticketr.toml").write_text("siet = 1\n")
    printed()

    user.runs("workspace", "list", "--json")

    listed = json.loads(printed())
    assert listed["in_use"] == "beta"
    acme, beta = listed["workspaces"]
    assert beta == {
        "name": "beta",
        "folder": str(user.home / "beta"),
        "site": site,
        "email": ME,
        "project": "DEMO",
        "jql": None,
        "in_use": True,
        "problem": None,
    }
    assert acme.keys() == beta.keys()
    assert "unknown key 'siet'" in acme["problem"]


def test_the_list_for_people_marks_the_one_in_use(user: User, site: str, printed: Any) -> None:
    add(user, site, "acme", "--folder", "../acme")
    add(user, site, "beta", "--folder", "../beta")
    (user.home / "beta" / "ticketr.toml").unlink()
    (user.home / "beta").rmdir()
    printed()

    user.runs("workspace", "use", "beta")
    user.runs("workspace", "list")

    chosen, acme, beta = printed().splitlines()
    assert chosen == "beta is in use"
    assert acme == f"  acme  {user.home / 'acme'}  {site}  DEMO"
    assert beta.startswith(f"* beta  {user.home / 'beta'}  the folder of beta is ")
    assert beta.endswith("it is gone: bring it back, or 'ticketr workspace remove beta'")


def test_without_workspaces_the_list_says_how_to_add_one(
    user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    user.runs("workspace", "list")

    out, err = capsys.readouterr()
    assert (out, err) == ("", "No workspaces yet; 'ticketr workspace add' adds one.\n")


def test_check_says_who_you_are(user: User, site: str, printed: Any) -> None:
    add(user, site, "acme", "--folder", "../acme")
    printed()

    assert user.runs("workspace", "check", "acme") == 0
    assert printed().splitlines() == [
        f"acme: you are Demo User ({ME}) at {site}",
        "token from the environment",
        "project DEMO: Harbour Books",
    ]


def test_a_check_raises_what_is_wrong(user: User, site: str) -> None:
    add(user, site, "acme", "--folder", "../acme")
    for token, kind in (("", MissingSetting), (CANARY, AuthenticationFailed)):
        user.sets(JIRA_API_TOKEN=token)
        with pytest.raises(kind) as caught:
            user.runs("workspace", "check", "acme")
        assert CANARY not in str(caught.value)
    with pytest.raises(UnknownWorkspace):
        user.runs("workspace", "check", "shop")


def test_a_token_in_the_keyring_is_used_and_removed_with_its_workspace(
    user: User, site: str, printed: Any
) -> None:
    with keyring_in_use(MemoryKeyring()):
        add(user, site, "acme", "--folder", "../acme")
        keychain.write(site, ME, "demo")
        user.sets(JIRA_API_TOKEN="")
        user.goes("acme")
        assert user.runs("pull") == 0
        printed()

        user.runs("workspace", "remove", "acme")

        assert keychain.read(site, ME) is None
    folder = user.home / "acme"
    assert printed().splitlines() == [
        f"acme is forgotten; its tickets are still in {folder}",
        "its token is taken out of the keyring",
    ]
    assert list(folder.glob("*.md"))
    assert (folder / "ticketr.toml").exists()
    with pytest.raises(SiteNotConfirmed):
        user.runs("pull")


def test_a_token_that_another_workspace_needs_stays(user: User, site: str) -> None:
    with keyring_in_use(MemoryKeyring()):
        add(user, site, "acme", "--folder", "../acme")
        add(user, site, "beta", "--folder", "../beta")
        keychain.write(site, ME, "demo")

        user.runs("workspace", "remove", "acme")
        assert keychain.read(site, ME) == "demo"

        user.runs("workspace", "remove", "beta")
        assert keychain.read(site, ME) is None


def test_while_its_token_cannot_be_forgotten_the_workspace_stays(
    user: User, site: str, printed: Any
) -> None:
    add(user, site, "acme", "--folder", "../acme")
    printed()

    with keyring_in_use(BrokenKeyring()), pytest.raises(TokenFailed):
        user.runs("workspace", "remove", "acme")

    user.runs("workspace", "list")
    assert printed().startswith("* acme")


async def test_a_site_that_is_not_confirmed_gets_not_even_a_connection(tmp_path: Path) -> None:
    async with raw_site(reply({"accountId": "1"})) as evil:
        (tmp_path / "ticketr.toml").write_text(f'site = "{evil.url}"\nproject = "DEMO"\n')
        env = environment("http://127.0.0.1:9", TICKETR_CONFIG_DIR=str(tmp_path / "config"))
        codes = [
            (
                await trio.run_process(
                    [*PROGRAM, *command], cwd=tmp_path, env=env, check=False, capture_stderr=True
                )
            ).returncode
            for command in (["pull"], ["workspace", "check"], ["workspace", "add"], [])
        ]

    assert codes == [2, 2, 2, 2]
    assert evil.connections == []


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

    found = find_app_workspaces()

    assert [each.name for each in found] == ["work", "ops", "shop"]
    assert tuple(each.root for each in found) == (home / "work", home / "ops", home / "shop")
    assert isinstance(found[0], OpenWorkspace)
    assert closed(found[1]).site == "http://127.0.0.1:9"


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
        return threads.submit(find_app_workspaces).result()


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
    with sandbox_thread(tickets=3) as url:
        configure(home, url, monkeypatch)
        settings = 'comments = true\ninherit = false\n[aliases]\nsecond = "key = DEMO-2"\n'
        (home / "shop" / "ticketr.toml").write_text(settings)
        *_, shop = _outside_trio()
        opened = await closed(shop).open()
        assert not opened.has_login()  # a pull that nobody has asked for waits for it
        async with open_job_queue() as queue:
            for _ in range(2):
                await queue.run(opened.make_job(PULL, lambda _: None))
        assert opened.has_login()
        statuses = await opened.ask_jira(read_next_statuses, "DEMO-1")

    assert "second" in opened.query_by_alias
    assert statuses == ("In Progress",)
    assert (opened.default_draft_type, opened.keeps_comments, opened.new_subtasks_inherit) == (
        "Task",
        True,
        False,
    )
    assert len(list((home / "shop").glob("DEMO-*.md"))) > 0
    assert (opened.site, opened.site_url, opened.project) == (url, url, "DEMO")


def test_where_nothing_is_configured_there_is_no_workspace(home: Path) -> None:
    assert find_app_workspaces() == ()


def test_outside_of_all_workspaces_with_none_in_use_all_of_them_are_offered(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(home, "http://127.0.0.1:9", monkeypatch)
    monkeypatch.delenv("JIRA_URL")
    (home / "elsewhere").mkdir()
    monkeypatch.chdir(home / "elsewhere")

    names = [closed(each).name for each in find_app_workspaces()]

    assert names == ["ops", "shop", "work"]


SITE = "https://acme.atlassian.net"
GATEWAY = "http://127.0.0.1:8080/ex/jira/11-22"


async def look(app: ScriptedApp) -> tuple[JiraUser, Project | None]:
    return await check_login(
        Credentials(GATEWAY, "mia@acme.com", "token"),
        site=SITE,
        project="DEMO",
        transport=app.transport(),
    )


async def test_a_login_that_is_not_taken_is_jiras_own_error(autojump_clock: MockClock) -> None:
    with pytest.raises(AuthenticationFailed):
        await look(ScriptedApp(Answer({"errorMessages": ["no"]}, status=401)))
