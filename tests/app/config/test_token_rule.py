"""Test which token goes where: each combination of places for the site and the token, and their order."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trio
from fakes.keyrings import BrokenKeyring, MemoryKeyring, keyring_in_use

from ticketr.app.config import (
    LoginEntry,
    MissingSetting,
    SiteLogin,
    SiteNotConfirmed,
    TokenFailed,
    TokenSource,
    Workspace,
    WorkspaceEntry,
    add_or_change_workspace,
    find_token,
    forget_token,
    keychain,
    read_user_config,
    resolve_workspace,
    store_token,
)
from ticketr.app.config.tokens import read_token_from_file, write_token_to_file

A = "https://a.example"
B = "https://b.example"
C = "https://c.example"
ME = "me@example.com"


@dataclass
class User:
    """A user with a workspace, and all places that may name its site or hold a token."""

    root: Path
    folder: Path
    environ: dict[str, str]

    def file_names(self, site: str | None) -> None:
        text = "" if site is None else f'site = "{site}"\n'
        (self.root / "ticketr.toml").write_text(text)

    def config_names(self, site: str | None, login: LoginEntry | None = None) -> None:
        if site is not None:
            entry = WorkspaceEntry("mine", self.root, site, login or LoginEntry(ME))
            add_or_change_workspace(self.folder, entry)

    def config_has(self, site: str) -> None:
        """Add another workspace, of another site."""
        add_or_change_workspace(self.folder, WorkspaceEntry("other", self.root.parent, site))

    def environment_names(self, site: str | None) -> None:
        if site is not None:
            self.environ["JIRA_URL"] = site

    def ask_sites_table(self, site: str, key: str, value: str) -> None:
        path = self.folder / "config.toml"
        old = path.read_text() if path.exists() else ""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(f'{old}\n[sites."{site}"]\n{key} = "{value}"\nemail = "{ME}"\n')
        path.chmod(0o600)

    def token(self) -> SiteLogin | None:
        return trio.run(find_token, resolve_workspace(self.environ, self.root), self.environ)


@pytest.fixture
def user(tmp_path: Path) -> Generator[User]:
    root, folder = tmp_path / "root", tmp_path / "config"
    root.mkdir()
    with keyring_in_use(MemoryKeyring()):
        yield User(root, folder, {"TICKETR_CONFIG_DIR": str(folder)})


#: The sites in ticketr.toml, JIRA_URL and the user's config for this folder, and the result: the
#: workspace's site, and whether it gets the environment's token, a stored token, or none.
COMBINATIONS = [
    (None, None, None, None, "no site"),
    (None, None, A, A, "environment"),
    (None, None, B, B, "environment"),
    (None, A, None, A, "environment"),
    (None, A, A, A, "environment"),
    (None, A, B, B, "stored"),
    (None, B, None, B, "environment"),
    (None, B, A, A, "stored"),
    (None, B, B, B, "environment"),
    (A, None, None, A, "refused"),
    (A, None, A, A, "environment"),
    (A, None, B, A, "refused"),
    (A, A, None, A, "environment"),
    (A, A, A, A, "environment"),
    (A, A, B, A, "environment"),
    (A, B, None, A, "refused"),
    (A, B, A, A, "stored"),
    (A, B, B, A, "refused"),
]
each_combination = pytest.mark.parametrize(
    ("file", "url", "config", "site", "verdict"), COMBINATIONS
)


def test_the_combinations_are_all_there_are() -> None:
    named = {(file, url, config) for file, url, config, _, _ in COMBINATIONS}

    assert named == {(f, u, c) for f in (None, A) for u in (None, A, B) for c in (None, A, B)}
    assert len(COMBINATIONS) == len(named)


def expect(user: User, site: str | None, verdict: str, *, environment: bool, stored: bool) -> None:
    """Check that exactly the expected token or the expected refusal is found."""
    workspace = resolve_workspace(user.environ, user.root)
    assert workspace.site == site
    if verdict == "no site":
        with pytest.raises(MissingSetting, match="JIRA_URL"):
            user.token()
        return
    if verdict == "refused":
        with pytest.raises(SiteNotConfirmed, match=f"names the Jira site {site}, which you have"):
            user.token()
        return
    found = user.token()
    if environment and verdict == "environment":
        assert found is not None
        assert (found.site, found.token, found.source) == (site, "env", TokenSource.ENVIRONMENT)
    elif stored:
        assert found is not None
        assert (found.site, found.email, found.token) == (site, ME, f"for-{site}")
    else:
        assert found is None


@each_combination
def test_the_environments_token_goes_where_it_may(
    user: User, file: str | None, url: str | None, config: str | None, site: str, verdict: str
) -> None:
    user.file_names(file)
    user.environment_names(url)
    user.config_names(config)
    user.environ |= {"JIRA_API_TOKEN": "env", "JIRA_EMAIL": ME}

    expect(user, site, verdict, environment=True, stored=False)


@each_combination
@pytest.mark.parametrize("source", [TokenSource.KEYRING, TokenSource.FILE, TokenSource.COMMAND])
@pytest.mark.parametrize("environment", [False, True])
def test_a_stored_token_goes_to_its_own_site_alone(
    user: User,
    source: TokenSource,
    file: str | None,
    url: str | None,
    config: str | None,
    site: str,
    verdict: str,
    *,
    environment: bool,
) -> None:
    user.file_names(file)
    user.environment_names(url)
    user.config_names(config)
    user.environ["JIRA_EMAIL"] = ME
    if environment:
        user.environ["JIRA_API_TOKEN"] = "env"
    for each in (A, B):
        if source is TokenSource.KEYRING:
            keychain.write(each, ME, f"for-{each}")
        elif source is TokenSource.FILE:
            write_token_to_file(user.folder, each, ME, f"for-{each}")
        else:
            user.ask_sites_table(each, "token_command", f"echo for-{each}")
    if (
        source is TokenSource.COMMAND
        and url is None
        and config is not None
        and verdict != "refused"
    ):
        verdict = "stored"  # two sites in the config: the environment's token belongs to neither

    expect(user, site, verdict, environment=environment, stored=True)


@each_combination
def test_a_workspaces_own_command_is_for_its_own_site(
    user: User, file: str | None, url: str | None, config: str | None, site: str, verdict: str
) -> None:
    user.file_names(file)
    user.environment_names(url)
    user.config_names(config, LoginEntry(ME, ("echo", f"for-{config}"), "cloud"))

    expect(user, site, verdict, environment=False, stored=config == site)
    workspace = resolve_workspace(user.environ, user.root)
    allowed = verdict in {"environment", "stored"} and config == site
    assert workspace.login.cloud_id == ("cloud" if allowed else None)


def test_a_token_without_a_site_is_for_neither_of_two(user: User) -> None:
    user.config_names(A)
    user.config_has(C)
    user.environ |= {"JIRA_API_TOKEN": "env", "JIRA_EMAIL": ME}
    keychain.write(A, ME, "stored")

    found = user.token()

    assert found is not None
    assert found.token == "stored"


def test_a_workspace_next_door_confirms_nothing(user: User) -> None:
    add_or_change_workspace(
        user.folder, WorkspaceEntry("other", user.root.parent, A, LoginEntry(ME))
    )
    user.file_names(A)
    user.environ |= {"JIRA_API_TOKEN": "env", "JIRA_EMAIL": ME}

    with pytest.raises(SiteNotConfirmed):
        user.token()


def test_a_way_to_log_in_at_a_site_confirms_it_for_no_folder(user: User) -> None:
    user.ask_sites_table(A, "token_command", "echo canary")
    user.file_names(A)

    with pytest.raises(SiteNotConfirmed):
        user.token()


@pytest.mark.parametrize(
    "almost",
    [
        "http://a.example",
        "https://a.example:8443",
        "https://a.example/jira",
        "https://a.example.",
        "https://www.a.example",
        "https://A.example/JIRA",
    ],
)
def test_nearly_the_same_site_is_another_one(user: User, almost: str) -> None:
    user.file_names(almost)
    user.environment_names(A)
    user.environ |= {"JIRA_API_TOKEN": "env", "JIRA_EMAIL": ME}

    with pytest.raises(SiteNotConfirmed):
        user.token()


@pytest.mark.parametrize("same", ["https://a.example/", "HTTPS://A.EXAMPLE:443"])
def test_another_spelling_of_a_site_is_the_same_one(user: User, same: str) -> None:
    user.file_names(same)
    user.environment_names(A)
    user.environ |= {"JIRA_API_TOKEN": "env", "JIRA_EMAIL": ME}

    found = user.token()

    assert found is not None
    assert found.site == A


def test_a_site_that_a_pull_from_git_changed_must_be_confirmed_again(user: User) -> None:
    user.file_names(A)
    user.config_names(A)
    keychain.write(A, ME, "for-A")
    keychain.write(B, ME, "for-B")
    assert user.token() is not None

    user.file_names(B)

    with pytest.raises(SiteNotConfirmed, match=f"the one you confirmed is {A}"):
        user.token()


def test_the_refusal_says_what_to_do_and_which_other_sites_were_named(user: User) -> None:
    user.file_names(A)
    user.environment_names(B)

    with pytest.raises(SiteNotConfirmed) as caught:
        user.token()

    path = user.root / "ticketr.toml"
    assert str(caught.value) == (
        f"{path} names the Jira site {A}, which you have not confirmed for this folder (JIRA_URL "
        f"names {B}), so no login is sent there; if it is yours: ticketr workspace add --folder "
        f"{user.root} --site {A}"
    )


def test_variables_beside_the_url_of_another_site_are_ignored(user: User) -> None:
    user.file_names(A)
    user.config_names(A, LoginEntry())
    user.environ |= {
        "JIRA_URL": B,
        "JIRA_EMAIL": ME,
        "JIRA_API_TOKEN": "env",
        "JIRA_PROJECT_KEY": "BEE",
        "JIRA_STORY_TYPE": "Bee",
    }

    workspace = resolve_workspace(user.environ, user.root)

    assert workspace.login == LoginEntry()
    assert (workspace.project, workspace.default_draft_type) == (None, "Task")


def test_a_refused_workspace_has_no_login(user: User) -> None:
    user.ask_sites_table(A, "cloud_id", "cloud")
    user.file_names(A)

    workspace = resolve_workspace(user.environ, user.root)

    assert workspace.login == LoginEntry()
    assert not workspace.environment_login_fits_site
    assert read_user_config(user.folder).login_by_site[A].cloud_id == "cloud"


SITE = "https://acme.atlassian.net"
MY_NAME = "me@acme.com"


@pytest.fixture
def environ(folder: Path) -> dict[str, str]:
    return {"TICKETR_CONFIG_DIR": str(folder)}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(
        "acme", tmp_path, SITE, login=LoginEntry(MY_NAME), environment_login_fits_site=True
    )


async def test_the_sources_are_asked_in_their_order(
    workspace: Workspace, environ: dict[str, str], folder: Path
) -> None:
    sources = []
    write_token_to_file(folder, SITE, MY_NAME, "from-the-file")
    with keyring_in_use(MemoryKeyring()):
        sources.append(await find_token(workspace, environ))
        keychain.write(SITE, MY_NAME, "from-the-keyring")
        sources.append(await find_token(workspace, environ))
        command = replace(workspace, login=LoginEntry(MY_NAME, ("echo", "from-the-command")))
        sources.append(await find_token(command, environ))
        environ["JIRA_API_KEY"] = "from-the-environment"
        sources.append(await find_token(command, environ))

    assert sources == [
        SiteLogin(SITE, MY_NAME, "from-the-file", TokenSource.FILE),
        SiteLogin(SITE, MY_NAME, "from-the-keyring", TokenSource.KEYRING),
        SiteLogin(SITE, MY_NAME, "from-the-command", TokenSource.COMMAND),
        SiteLogin(SITE, MY_NAME, "from-the-environment", TokenSource.ENVIRONMENT),
    ]


async def test_where_no_source_has_one_there_is_none(
    workspace: Workspace, environ: dict[str, str]
) -> None:
    assert await find_token(workspace, environ) is None
    assert await find_token(replace(workspace, login=LoginEntry()), environ) is None


async def test_the_environments_email_and_token_belong_together(
    workspace: Workspace, environ: dict[str, str]
) -> None:
    environ |= {"JIRA_API_TOKEN": "x", "JIRA_EMAIL": "other@acme.com"}

    found = await find_token(workspace, environ)

    assert found == SiteLogin(SITE, "other@acme.com", "x", TokenSource.ENVIRONMENT)


async def test_a_broken_keyring_does_not_hide_the_tokens_file(
    workspace: Workspace, environ: dict[str, str], folder: Path
) -> None:
    with keyring_in_use(BrokenKeyring()):
        with pytest.raises(TokenFailed, match="from the keyring"):
            await find_token(workspace, environ)
        write_token_to_file(folder, SITE, MY_NAME, "x")
        found = await find_token(workspace, environ)

    assert found == SiteLogin(SITE, MY_NAME, "x", TokenSource.FILE)


async def test_a_command_that_fails_is_not_passed_over(
    workspace: Workspace, environ: dict[str, str], folder: Path
) -> None:
    write_token_to_file(folder, SITE, MY_NAME, "x")
    command = replace(workspace, login=LoginEntry(MY_NAME, ("false",)))

    with pytest.raises(TokenFailed, match="'false' ended with exit code 1"):
        await find_token(command, environ)


def typed(token: str) -> SiteLogin:
    return SiteLogin(SITE, MY_NAME, token, TokenSource.PROMPT)


def test_a_token_is_kept_in_the_keyring_and_then_not_in_the_file(folder: Path) -> None:
    assert store_token(folder, typed("old")) is TokenSource.FILE
    with keyring_in_use(MemoryKeyring()):
        assert store_token(folder, typed("new")) is TokenSource.KEYRING
        assert keychain.read(SITE, MY_NAME) == "new"

    assert read_token_from_file(folder, SITE, MY_NAME) is None


def test_a_keyring_that_fails_to_store_is_an_error_and_no_file_is_used(folder: Path) -> None:
    with keyring_in_use(BrokenKeyring()), pytest.raises(TokenFailed) as caught:
        store_token(folder, typed("canary"))

    assert "canary" not in str(caught.value) + repr(caught.value)
    assert not folder.exists()


def test_a_token_is_forgotten_wherever_it_is_kept(folder: Path) -> None:
    store_token(folder, typed("x"))
    with keyring_in_use(MemoryKeyring()):
        keychain.write(SITE, MY_NAME, "x")

        assert forget_token(folder, SITE, MY_NAME) == (TokenSource.FILE, TokenSource.KEYRING)
        assert forget_token(folder, SITE, MY_NAME) == ()


async def test_a_keyring_that_waits_for_its_user_can_be_cancelled(
    workspace: Workspace, environ: dict[str, str]
) -> None:
    asked, answer = trio.Event(), threading.Event()
    token = trio.lowlevel.current_trio_token()

    class Locked(MemoryKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            token.run_sync_soon(asked.set)
            answer.wait(20)
            return None

    with keyring_in_use(Locked()), trio.fail_after(100):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(find_token, workspace, environ)
            await asked.wait()
            nursery.cancel_scope.cancel()
    answer.set()

    assert nursery.cancel_scope.cancelled_caught


@pytest.mark.parametrize("token", ["", "two\nlines", "bell\x07", "\ufffd\x00"])
def test_an_invalid_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(
        TokenFailed, match=r"from the keyring: what it gave is not a token .* store it again"
    ) as caught:
        SiteLogin(SITE, MY_NAME, token, TokenSource.KEYRING)

    assert not token or token not in str(caught.value) + repr(caught.value)


def test_a_login_shows_its_token_nowhere_and_is_not_pickled() -> None:
    found = SiteLogin(SITE, MY_NAME, "canary", TokenSource.KEYRING)

    assert "canary" not in repr(found)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(found)
