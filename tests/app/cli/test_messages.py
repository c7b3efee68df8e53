"""Test what a user reads: failures, missing settings, and the folder and site of a command."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes.jira_app import Answer, Asked, RuledApp
from fakes.keyrings import keyring_in_use, no_keyring
from fakes.pulls import URL
from fakes.users import User
from fakes.wire import Wire
from planned_faults import PlannedFaults

from jira_sandbox import Fault, FaultKind, create_app
from ticketr.app.cli.options import CommonOptions, workspace_arguments
from ticketr.app.cli.settings import find_credentials, find_workspace
from ticketr.app.config import (
    LoginEntry,
    MissingSetting,
    TokenFailed,
    WorkspaceEntry,
    add_or_change_workspace,
    use_workspace,
)
from ticketr.app.sync import PullJob

API = "/rest/api/3/"


def answering(someone: User, **answers: Answer) -> None:
    """Answer ``myself`` as a site does; all else as the endpoint's answer says."""

    def rule(asked: Asked) -> Answer:
        name = asked.path.rpartition("/")[2]
        known = Answer({"accountId": "1", "displayName": "Mia"}) if name == "myself" else None
        return answers.get(name) or known or Answer({"version": "1", "deploymentType": "Cloud"})

    someone.connect = lambda: RuledApp(rule).transport()


REFUSED: tuple[tuple[Answer, str], ...] = (
    (
        Answer(status=403, headers={"x-seraph-loginreason": "AUTHENTICATION_DENIED"}),
        (
            "refused the login (403): there were too many wrong logins; log in to Jira in a browser "
            "and answer the captcha, then try again"
        ),
    ),
    (Answer(status=404), "does not have it (404): is this the address of a Jira site?"),
    (
        Answer(status=429, headers={"retry-after": "999999999999"}),
        "gets too many requests (429): wait and try again",
    ),
    (
        Answer(status=429, headers={"retry-after": "5400"}),
        "gets too many requests (429): wait and try again in 90 minutes",
    ),
    (
        Answer({"errorMessages": ["The issue is locked."]}, status=409),
        (
            "refused the request (409: The issue is locked.): another person or program changes it at "
            "the moment, or has locked it; try again"
        ),
    ),
    (
        Answer(status=402),
        (
            "refused the request (402): the site's plan has ended or it is suspended; ask who runs "
            "the site"
        ),
    ),
    (
        Answer(
            {"message": "Site temporarily unavailable"}, status=503, headers={"retry-after": "999"}
        ),
        "failed on its side (503: Site temporarily unavailable): try again in 17 minutes",
    ),
    (
        Answer(b"<html>no</html>", status=405),
        (
            "refused the request (405): is this the address of a Jira site? If it is, something "
            "before it refuses; ask who runs the site"
        ),
    ),
    (
        Answer(status=302, headers={"location": "https://login.acme.example/sso"}),
        (
            "sends elsewhere, to https://login.acme.example/sso, which is a login page: is this the "
            "address of a Jira site? If it is, log in there in a browser if a network or proxy "
            "asks for it; else Jira is in trouble, try again later"
        ),
    ),
    (
        Answer(status=302, headers={"location": "https://acme.example/"}),
        (
            "sends elsewhere, to https://acme.example/: if that is your Jira site, use its address "
            "instead"
        ),
    ),
)


@pytest.mark.parametrize(("answer", "words"), REFUSED, ids=map(str, range(len(REFUSED))))
def test_a_refusal_has_its_cause_first_and_the_address_last(
    answer: Answer, words: str, someone: User
) -> None:
    answering(someone, myself=answer)

    told = someone.runs("pull", "--plain")

    assert told.code == 1
    assert told.err.splitlines()[-1] == (
        f"Pull failed: 127.0.0.1 {words} (http://127.0.0.1{API}myself)"
    )


@pytest.mark.parametrize("command", [("pull",), ("push", "--yes"), ("sync", "--yes")])
@pytest.mark.parametrize("place", ["JIRA_PROJECT_KEY", "ticketr.toml", "--project"])
def test_an_unknown_project_is_named_with_its_setting(
    place: str, command: tuple[str, ...], someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place
    arguments: tuple[str, ...] = command
    if place == "ticketr.toml":
        someone.writes("ticketr.toml", 'project = "NOPE"\n')
        where = f"project in {someone.root / 'ticketr.toml'}"
    elif place == "--project":
        arguments = (*command, "--project", "NOPE")
    else:
        monkeypatch.setenv(place, "NOPE")
    someone.writes("new.md", "# TICKET: A new one\n\n## Description\nText.\n")

    told = someone.runs(*arguments)

    assert told.code == 1
    assert told.err.splitlines()[-1].endswith(
        f"failed: {where} is NOPE: there is no such project at http://127.0.0.1, or your "
        "account may not see it"
    )


#: What a command says at its end; the folder holds bad.md.
NAMED = {
    ("worklog", "DEMO-999", "2h"): "Log work failed: 127.0.0.1 does not have DEMO-999 (404: ",
    ("pull", "XX-1"): "failed: XX-1: Jira does not have it, or you may not see it\n",
    ("push", "--yes"): "failed: bad.md:1:11: a ticket needs a title",
    ("pull", "-C", "bad.md"): "Directory 'bad.md' is a file",
    ("worklog", "DEMO-1", "2h", "--started", "yesterday"): (
        'failed: "yesterday": write when the work began like 2026-01-31 09:30'
    ),
    ("bulk", "DEMO-1", "--move", "DEMO-777", "--yes"): (
        "failed: DEMO-1: to move it under DEMO-777: 127.0.0.1 refused the request (400: "
    ),
}


@pytest.mark.parametrize(("command", "words"), NAMED.items())
def test_a_failure_names_what_it_is_about_once(
    command: tuple[str, ...], words: str, someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone.writes("bad.md", "# TICKET: \n")
    monkeypatch.chdir(someone.root)

    told = someone.runs(*command)

    assert told.code in {1, 2, 3}
    assert words in told.err


BY_KEY = (
    ("worklog", "DEMO-1", "2h"),
    ("attachments", "list", "DEMO-1"),
    ("bulk", "DEMO-1", "--set", "Labels+=web", "--yes"),
)


@pytest.mark.parametrize("command", BY_KEY)
def test_a_command_on_issues_by_their_keys_needs_no_project(
    command: tuple[str, ...], someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JIRA_PROJECT_KEY")

    told = someone.runs(*command)

    assert (told.code, "failed" in told.err) == (0, False), told


def test_a_schema_without_a_project_names_the_setting(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JIRA_PROJECT_KEY")

    told = someone.runs("schema")

    assert told.code == 2
    assert "project is not set: the key of the project, in ticketr.toml" in told.err
    assert "--project" not in told.err


def test_a_token_with_a_line_break_names_the_variable(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIRA_API_TOKEN", "one\ntwo")

    told = someone.runs("pull")

    assert told.code == 1
    assert "with a line break or the like in it); set JIRA_API_TOKEN again" in told.err
    assert "two" not in told.err


@pytest.mark.parametrize("path", ["bulk/issues/fields", "bulk/queue"])
def test_a_bulk_change_that_is_cut_off_may_have_been_made(path: str, someone: User) -> None:
    faults = PlannedFaults(*9 * [Fault(FaultKind.LOST)], path=path)
    someone.connect = partial(Wire, create_app(someone.site, faults=faults))

    told = someone.runs("bulk", "DEMO-1", "--set", "Priority=Low")

    assert told.code == 1
    failed = next(line for line in told.err.splitlines() if line.startswith("Change failed"))
    assert "try again" not in failed.partition(" before you ")[0]
    assert failed.startswith(
        "Change failed: Jira may have made the change, or may make it yet, since "
    )
    assert "127.0.0.1 broke off while answering" in failed
    assert "look at the tickets in Jira before you try again" in failed
    assert "Jira may change them yet: DEMO-1" in told.err


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
    add_or_change_workspace(root.parent / "config", entry)


def test_in_a_workspace_the_environment_alone_is_enough(root: Path) -> None:
    job = pull()

    assert (job.root, job.project, job.jql) == (root, "DEMO", None)
    assert (job.credentials.site, job.credentials.email) == (SITE, "me@acme.com")
    assert job.credentials.token == "canary"
    assert job.workspace_site == SITE
    assert "canary" not in repr(job)


def test_a_token_with_scopes_goes_to_the_gateway_and_links_to_the_site(root: Path) -> None:
    add(root, cloud_id="11-22")

    job = pull()

    assert job.credentials.site == "https://api.atlassian.com/ex/jira/11-22"
    assert job.workspace_site == SITE


def test_a_token_for_another_site_differs_from_no_token(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(root, email="me@acme.com")
    other = WorkspaceEntry("other", root.parent, "https://other.example")
    add_or_change_workspace(root.parent / "config", other)
    monkeypatch.setenv("JIRA_URL", "")

    with pytest.raises(MissingSetting, match=f"what is set is not for {SITE}: set JIRA_URL too"):
        find_credentials(find_workspace())


def test_a_failing_token_source_is_reported_without_a_terminal(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(root, email="me@acme.com", token_command=("false",))
    monkeypatch.setenv("JIRA_API_TOKEN", "")

    with pytest.raises(TokenFailed, match="'false' ended with exit code 1"):
        find_credentials(find_workspace())


OTHER = "https://other.atlassian.net"
IGNORED = f"; JIRA_URL ({OTHER}) does not count there"


def elsewhere(someone: User, *, in_use: bool = True) -> Path:
    """Add another folder of the user's site, with its own login; the current one is none."""
    (someone.root / "ticketr.toml").unlink()
    folder = someone.root.parent / "acme"
    folder.mkdir()
    config = someone.root.parent / "config"
    login = LoginEntry(email="demo@example.com", token_command=("printf", "demo"))
    add_or_change_workspace(config, WorkspaceEntry("acme", folder, URL, login))
    if in_use:
        use_workspace(config, "acme")
    return folder


@pytest.mark.parametrize("command", [["pull"], ["push"], ["push", "-n"], ["sync"]])
def test_nothing_is_said_of_the_current_folder_and_its_site(
    command: list[str], someone: User
) -> None:
    assert "working in" not in someone.runs(*command).err


@pytest.mark.parametrize("command", ["pull", "push", "sync"])
def test_the_workspace_in_use_is_named_where_four_variables_speak_of_another(
    command: str, someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(someone)
    monkeypatch.setenv("JIRA_URL", OTHER)

    told = someone.runs(command, "-p", "DEMO")

    assert told.code == 0
    assert told.err.splitlines()[0] == (
        f"working in {folder} with {URL}, the workspace in use (acme){IGNORED}; "
        "to work in this folder, say --folder ."
    )
    assert not someone.files()


def test_a_workspace_that_was_chosen_is_named(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(someone, in_use=False)

    told = someone.runs("pull", "-w", "acme")
    monkeypatch.setenv("JIRA_URL", OTHER)
    differing = someone.runs("pull", "-w", "acme", "-p", "DEMO")

    assert told.err.splitlines()[0] == f"working in {folder} with {URL}"
    assert differing.err.splitlines()[0] == f"working in {folder} with {URL}{IGNORED}"


def test_a_folder_that_was_said_is_named_only_if_its_site_is_another_than_that_of_the_variables(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(someone, in_use=False)

    told = someone.runs("pull", "-C", str(folder))
    monkeypatch.setenv("JIRA_URL", OTHER)
    differing = someone.runs("pull", "-C", str(folder), "-p", "DEMO")

    assert "working in" not in told.err
    assert differing.err.splitlines()[0] == f"working in {folder} with {URL}{IGNORED}"


def test_a_folder_whose_site_is_not_the_one_of_the_variables_is_named(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere(someone, in_use=False)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("JIRA_URL", OTHER)

    told = someone.runs("pull", "-p", "DEMO")

    assert told.err.splitlines()[0] == f"working in {folder} with {URL}{IGNORED}"


def test_a_folder_below_the_workspace_is_in_it(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone.runs("pull")
    (someone.root / "deep").mkdir()
    monkeypatch.chdir(someone.root / "deep")

    assert "working in" not in someone.runs("pull").err
