"""Test what the app's first screen asks for, on the sandbox's application or its process."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.jira_app import Answer, ScriptedApp
from fakes.keyrings import BrokenKeyring, MemoryKeyring, keyring_in_use, no_keyring
from fakes.pulls import URL, Recorder
from trio.testing import MockClock

from jira_sandbox import EMAIL, TOKEN, create_app, make_site
from ticketr import open_job_queue
from ticketr.app.cli.demo_site import SandboxFailed
from ticketr.app.cli.first_run import TuiWorkspaceSetup, checked_address
from ticketr.app.config import BadSetting, UserNamedField
from ticketr.app.jira import Credentials
from ticketr.app.jira.transport import Request, Response, Transport
from ticketr.app.sync import PullJob, PullResult
from ticketr.app.tui.setup import (
    AcceptedLogin,
    CloudSite,
    FolderAnswer,
    FolderKind,
    NewWorkspace,
    OpenedWorkspace,
    Problem,
    ProjectChoice,
    Setup,
    SetupField,
)

CANARY = "canary-7391-canary"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A user without any settings and without a keyring, at a terminal that nothing may ask in."""
    for name in [each for each in os.environ if each.startswith("JIRA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("os.isatty", lambda _: True)
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    with keyring_in_use(no_keyring()):
        yield tmp_path / "home"


def on_sandbox(*, latency: float = 0.0, asked: list[str] | None = None) -> Setup:
    app = create_app(make_site(tickets=3, seed=1), latency=latency)

    def connect() -> Transport:
        recorder = Recorder(app)
        if asked is not None:
            recorder.asked = asked
        return recorder

    return TuiWorkspaceSetup(connect)


def answering(*answers: Answer) -> Setup:
    app = ScriptedApp(*answers)
    return TuiWorkspaceSetup(app.transport)


def wanted(folder: Path, **changes: Any) -> NewWorkspace:
    values = {"site": URL, "email": EMAIL, "token": TOKEN, "project": "DEMO", "folder": folder}
    return NewWorkspace(**{**values, **changes})


async def pull(opened: OpenedWorkspace) -> PullResult:
    """Pull from the sandbox's application."""
    options = opened.options
    options["transport"] = Recorder(create_app(make_site(tickets=3, seed=1)))
    async with open_job_queue(workers=1) as queue:
        return await queue.run(PullJob(**options))


def problem(answer: object) -> tuple[SetupField | None, str]:
    assert isinstance(answer, Problem), answer
    assert "\n" not in answer.words
    return answer.field, answer.words


async def test_a_site_answers_and_how_long_it_took_is_told(autojump_clock: MockClock) -> None:
    answer = await on_sandbox(latency=0.12).check_is_jira_cloud(URL)

    assert answer == CloudSite(URL, 120)


async def test_a_data_center_site_says_so(autojump_clock: MockClock) -> None:
    site = answering(Answer({"version": "9.12.0", "deploymentType": "Server"}))

    told = "is Jira Data Center (version 9.12.0); ticketr works with Jira Cloud only"
    assert problem(await site.check_is_jira_cloud(URL)) == (SetupField.SITE, f"{URL} {told}")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "write it as https://you.atlassian.net"),
        ("ftp://x.example", "write it as https://you.atlassian.net"),
        ("https://[x", "'https://[x'"),
        (f"https://me:{CANARY}@x.example", "leave the login out of it"),
        ("http://x.example", "plain http"),
    ],
)
async def test_what_is_no_address_is_a_problem_of_the_site(
    address: str, words: str, autojump_clock: MockClock
) -> None:
    field, told = problem(await on_sandbox().check_is_jira_cloud(address))

    assert field is SetupField.SITE
    assert words in told
    assert CANARY not in told


async def test_a_site_that_is_no_jira_is_a_problem_of_the_site(autojump_clock: MockClock) -> None:
    field, told = problem(await answering(Answer(b"<html>", status=404)).check_is_jira_cloud(URL))

    assert field is SetupField.SITE
    assert told.startswith(f"no Jira answers at {URL}: ")


async def test_the_check_of_a_site_is_cancelled_inside_its_request(
    autojump_clock: MockClock,
) -> None:
    with trio.move_on_after(0.5) as scope:
        await on_sandbox(latency=10).check_is_jira_cloud(URL)

    assert (scope.cancelled_caught, trio.current_time()) == (True, 0.5)


@pytest.mark.parametrize(
    ("typed", "site"),
    [
        (" harbour.atlassian.net ", "https://harbour.atlassian.net"),
        ("https://harbour.atlassian.net/jira/your-work", "https://harbour.atlassian.net"),
        ("https://Harbour.atlassian.net/browse/DEMO-1?x=1", "https://harbour.atlassian.net"),
        ("jira.example/context/", "https://jira.example/context"),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_an_address_is_taken_as_people_type_and_copy_it(typed: str, site: str) -> None:
    assert checked_address(typed) == site


def test_a_login_in_an_address_is_refused_there_too() -> None:
    with pytest.raises(BadSetting, match="leave the login out"):
        checked_address(f"me:{CANARY}@harbour.atlassian.net")


async def test_a_login_answers_with_its_account_and_its_projects(
    autojump_clock: MockClock,
) -> None:
    answer = await on_sandbox().check_login(URL, f" {EMAIL} ", f"{TOKEN}\n")

    choices = (ProjectChoice("BLANK", "Blank slate"), ProjectChoice("DEMO", "Harbour Books"))
    assert isinstance(answer, AcceptedLogin)
    assert (answer.account_name, answer.project_count) == ("Demo User", 2)
    assert [each.key for each in answer.projects] == [each.key for each in choices]


@pytest.mark.parametrize(
    ("email", "token", "field", "words"),
    [
        (EMAIL, CANARY, SetupField.TOKEN, "401"),
        (EMAIL, "", SetupField.TOKEN, "no token"),
        (EMAIL, "a\x1bb", SetupField.TOKEN, "no token"),
        ("a b", TOKEN, SetupField.EMAIL, "the mail address"),
    ],
)
async def test_a_login_that_is_refused_is_a_problem_of_its_field(
    email: str, token: str, field: SetupField, words: str, home: Path, autojump_clock: MockClock
) -> None:
    found, told = problem(await on_sandbox().check_login(URL, email, token))

    assert found is field
    assert words in told
    assert CANARY not in told
    assert "ticketr workspace add" not in told  # the form takes a new one


async def test_a_site_without_the_api_of_cloud_is_a_problem_of_the_site(
    autojump_clock: MockClock,
) -> None:
    answer = await answering(Answer({}, status=404)).check_login(URL, EMAIL, TOKEN)

    field, told = problem(answer)
    assert field is SetupField.SITE
    assert told.startswith(f"no Jira answers at {URL}: ")


def test_a_default_folder_is_free_and_called_as_the_site(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = TuiWorkspaceSetup()
    site = "https://harbour.atlassian.net"
    monkeypatch.chdir(home)
    assert setup.suggest_free_folder(site) == home / "harbour"

    made = tmp_path / "made"
    made.mkdir()
    monkeypatch.chdir(made)  # somebody has made a folder for the tickets
    assert setup.suggest_free_folder(site) == made

    (made / "notes.txt").touch()
    assert setup.suggest_free_folder(site) == home / "harbour"

    (home / "work" / "harbour").mkdir(parents=True)
    assert setup.suggest_free_folder(site) == home / "work" / "harbour"  # it is empty

    (home / "work" / "harbour" / "x.md").touch()
    assert setup.suggest_free_folder(site) == home / "work" / "harbour-2"
    assert setup.suggest_free_folder(site, "SHOP") == home / "work" / "harbour-shop"

    (home / "work" / "harbour-shop").touch()
    assert setup.suggest_free_folder(site, "SHOP") == home / "work" / "harbour-shop-2"


@pytest.mark.parametrize("site", ["http://127.0.0.1:80", "", "https://ü..x", "http://[x"])
def test_a_default_folder_has_a_plain_name_whatever_the_site(home: Path, site: str) -> None:
    assert TuiWorkspaceSetup().suggest_free_folder(site) == home / "jira"


async def test_a_workspace_is_added_as_the_command_adds_it(
    home: Path,
) -> None:
    asked: list[str] = []
    setup = on_sandbox(asked=asked)

    opened = await setup.add_workspace(wanted(home / "harbour", project="demo"))

    assert isinstance(opened, OpenedWorkspace)
    assert (opened.title, opened.token_location) == (
        "harbour",
        "the token is in tokens.toml, in your own config folder",
    )
    assert asked == ["myself", "project/DEMO"]
    text = (home / "harbour" / "ticketr.toml").read_text()
    assert f'site = "{URL}"\nproject = "DEMO"\n' in text
    stored = home.parent / "config" / "tokens.toml"
    assert stored.stat().st_mode & 0o777 == 0o600
    assert f'"{EMAIL}" = "{TOKEN}"' in stored.read_text()
    written = (home.parent / "config" / "config.toml").read_text()
    assert f'[workspaces.harbour]\nfolder = "{home}/harbour"\nsite = "{URL}"\n' in written


async def test_an_added_workspace_can_be_pulled_at_once(home: Path) -> None:
    opened = await on_sandbox().add_workspace(wanted(home / "harbour"))
    assert isinstance(opened, OpenedWorkspace)

    assert (await pull(opened)).new == 3

    assert (home / "harbour" / "DEMO-1.md").is_file()


async def test_an_added_workspace_keeps_comments_from_the_first_pull_on(home: Path) -> None:
    opened = await on_sandbox().add_workspace(wanted(home / "harbour"))

    assert isinstance(opened, OpenedWorkspace)
    assert "comments = true\n" in (home / "harbour" / "ticketr.toml").read_text()
    assert opened.options["comments"] is True


async def test_fields_of_the_go_program_are_in_the_first_pull(home: Path) -> None:
    home.joinpath(".ticketr.yaml").write_text("field_mappings:\n  Points: customfield_10016\n")

    opened = await on_sandbox().add_workspace(wanted(home))

    assert isinstance(opened, OpenedWorkspace)
    assert opened.options["fields"] == (UserNamedField("Points", "customfield_10016"),)


async def test_the_token_goes_into_the_keyring_and_nowhere_else(home: Path) -> None:
    kept = MemoryKeyring()
    with keyring_in_use(kept):
        opened = await on_sandbox().add_workspace(wanted(home / "harbour"))

    assert isinstance(opened, OpenedWorkspace)
    assert opened.token_location == "the token is in your keyring"
    assert list(kept.kept.values()) == [TOKEN]
    assert not (home.parent / "config" / "tokens.toml").exists()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"token": CANARY}, SetupField.TOKEN, "401"),
        ({"project": "NOPE"}, SetupField.PROJECT, "there is no project NOPE at "),
        ({"project": "no key"}, SetupField.PROJECT, "the project"),
        ({"site": "nowhere"}, SetupField.SITE, ""),
        ({"email": "a b"}, SetupField.EMAIL, "the mail address"),
    ],
)
async def test_nothing_is_stored_if_the_site_refuses(
    home: Path, changes: dict[str, Any], field: SetupField, words: str
) -> None:
    if "site" in changes:
        setup = answering(Answer({}, status=404))
        words = "no Jira answers at https://nowhere: "
    else:
        setup = on_sandbox()

    found, told = problem(await setup.add_workspace(wanted(home / "harbour", **changes)))

    assert (found, words in told) == (field, True), told
    assert CANARY not in told
    assert not (home / "harbour").exists()
    assert not (home.parent / "config" / "tokens.toml").exists()


async def test_a_folder_whose_file_says_something_else_is_a_problem_of_the_folder(
    home: Path,
) -> None:
    (home / "ticketr.toml").write_text('project = "SHOP"\n')

    field, told = problem(await on_sandbox().add_workspace(wanted(home)))

    assert field is SetupField.FOLDER
    assert "ticketr.toml: project is 'SHOP': not 'DEMO'" in told


async def test_a_state_file_of_somebody_else_is_a_problem_and_never_a_question(home: Path) -> None:
    folder = home / "clone"
    opened = await on_sandbox().add_workspace(wanted(folder))
    assert isinstance(opened, OpenedWorkspace)
    await pull(opened)
    for path in (home.parent / "config").iterdir():
        path.unlink()

    field, told = problem(await on_sandbox().add_workspace(wanted(folder)))

    assert field is SetupField.FOLDER
    assert "ticketr does not know that you made" in told
    assert not (home.parent / "config" / "tokens.toml").exists()


async def test_a_folder_that_cannot_be_made_is_a_problem_of_the_folder(home: Path) -> None:
    (home / "file").touch()

    field, told = problem(await on_sandbox().add_workspace(wanted(home / "file" / "below")))

    assert field is SetupField.FOLDER
    assert str(home / "file") in told


async def test_a_keyring_that_does_not_work_is_a_problem_of_the_token(home: Path) -> None:
    with keyring_in_use(BrokenKeyring()):
        field, told = problem(await on_sandbox().add_workspace(wanted(home / "harbour")))

    assert (field, "the keyring" in told) == (SetupField.TOKEN, True)
    assert not (home / "harbour").exists()


class _Waiting(Recorder):
    """A site that never answers."""

    reached = trio.Event()

    async def send(self, request: Request) -> Response:
        self.reached.set()
        return await trio.sleep_forever()


async def test_a_cancelled_set_up_stores_nothing(home: Path) -> None:
    setup = TuiWorkspaceSetup(lambda: _Waiting(create_app(make_site(tickets=3, seed=1))))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(setup.add_workspace, wanted(home / "harbour"))
        await _Waiting.reached.wait()
        nursery.cancel_scope.cancel()

    assert not (home / "harbour").exists()
    assert not (home.parent / "config" / "tokens.toml").exists()


async def test_a_workspace_of_before_is_opened_with_its_stored_login(home: Path) -> None:
    setup = on_sandbox()
    added = await setup.add_workspace(wanted(home / "harbour"))
    assert isinstance(added, OpenedWorkspace)

    opened = await setup.open_folder(home / "harbour")

    assert isinstance(opened, OpenedWorkspace)
    assert (opened.title, opened.token_location) == ("harbour", "")
    for name in ("root", "credentials", "project", "state_owner_mark", "browser_site"):
        assert opened.options[name] == added.options[name]


async def test_a_folder_that_cannot_be_opened_says_what_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = on_sandbox()
    assert problem(await setup.open_folder(home / "none")) == (
        SetupField.FOLDER,
        f"the folder is '{home}/none': there is no such folder",
    )
    field, _ = problem(await setup.open_folder(home))
    assert field is SetupField.SITE

    (home / "ticketr.toml").write_text(f'site = "{URL}"\n')
    field, told = problem(await setup.open_folder(home))
    assert (field, "which you have not confirmed" in told) == (SetupField.SITE, True)

    monkeypatch.setenv("JIRA_URL", URL)
    field, _ = problem(await setup.open_folder(home))
    assert field is SetupField.PROJECT

    monkeypatch.setenv("JIRA_PROJECT_KEY", "DEMO")
    field, told = problem(await setup.open_folder(home))
    assert (field, told) == (
        SetupField.TOKEN,
        f"no token is stored for {URL}; connect to Jira with this folder",
    )

    monkeypatch.setenv("JIRA_API_TOKEN", TOKEN)
    field, _ = problem(await setup.open_folder(home))
    assert field is SetupField.EMAIL

    monkeypatch.setenv("JIRA_EMAIL", EMAIL)
    assert isinstance(await setup.open_folder(home), OpenedWorkspace)


def test_a_token_is_in_no_repr(home: Path) -> None:
    assert CANARY not in repr(wanted(home, token=CANARY))
    login = Credentials(URL, EMAIL, CANARY)
    assert CANARY not in repr(OpenedWorkspace("x", {"root": home, "credentials": login}))


async def test_the_sandbox_is_pulled_from_while_its_block_runs(home: Path) -> None:
    async with TuiWorkspaceSetup().open_sandbox() as opened:
        assert isinstance(opened, OpenedWorkspace)
        async with open_job_queue(workers=1) as queue:
            result = await queue.run(PullJob(**opened.options))

    assert opened.title == "demo"
    assert result.new == result.total > 100


async def test_a_sandbox_that_does_not_start_is_a_problem(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise SandboxFailed("no room")

    monkeypatch.setattr("ticketr.app.cli.first_run.open_demo", fail)

    async with TuiWorkspaceSetup().open_sandbox() as opened:
        assert opened == Problem("the sandbox did not start: no room")


@pytest.fixture
def tmp_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [each for each in os.environ if each.startswith("JIRA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "x").mkdir()
    return tmp_path


def put_tickets(folder: Path) -> None:
    (folder / "notes.md").write_text("# Some notes\n")
    (folder / "deep").mkdir()
    (folder / "deep" / "all.md").write_text("# TICKET: [DEMO-1] Search\n")


def put_notes(folder: Path) -> None:
    (folder / "notes.md").write_text("# Some notes\n")


def put_settings(folder: Path) -> None:
    (folder / "ticketr.toml").write_text('site = "https://you.atlassian.net"\n')


def put_nothing(folder: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("put", "answer"),
    [
        (put_nothing, FolderAnswer(FolderKind.EMPTY)),
        (put_notes, FolderAnswer(FolderKind.OTHER)),
        (put_tickets, FolderAnswer(FolderKind.OTHER)),
        (put_settings, FolderAnswer(FolderKind.WORKSPACE, "you.atlassian.net")),
    ],
)
async def test_a_folder_is_what_it_holds(
    put: Callable[[Path], None], answer: FolderAnswer, tmp_home: Path
) -> None:
    put(tmp_home / "x")
    before = sorted(tmp_home.rglob("*"))

    assert await TuiWorkspaceSetup().classify_folder(Path("~/x")) == answer
    assert sorted(tmp_home.rglob("*")) == before


async def test_a_folder_in_the_users_config_is_a_workspace(tmp_home: Path) -> None:
    config = tmp_home / "config"
    config.mkdir(mode=0o700)
    (config / "config.toml").touch(mode=0o600)
    text = f'[workspaces.x]\nfolder = "{tmp_home / "x"}"\nsite = "https://you.atlassian.net"\n'
    (config / "config.toml").write_text(text)

    answer = await TuiWorkspaceSetup().classify_folder(tmp_home / "x")

    assert answer == FolderAnswer(FolderKind.WORKSPACE, "you.atlassian.net")


async def test_a_folder_that_does_not_exist_is_new(tmp_home: Path) -> None:
    assert await TuiWorkspaceSetup().classify_folder(tmp_home / "y") == FolderAnswer(
        FolderKind.MISSING
    )


async def test_a_file_and_settings_that_cannot_be_used_are_problems(
    tmp_home: Path,
) -> None:
    (tmp_home / "file").touch()
    (tmp_home / "x" / "ticketr.toml").write_text("this is not TOML")

    file = await TuiWorkspaceSetup().classify_folder(tmp_home / "file")
    broken = await TuiWorkspaceSetup().classify_folder(tmp_home / "x")

    assert isinstance(file, Problem)
    assert (file.field, "it is a file" in file.words) == (SetupField.FOLDER, True)
    assert isinstance(broken, Problem)
    assert "ticketr.toml" in broken.words
