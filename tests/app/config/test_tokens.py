"""Test where tokens are found, stored and removed; threads and processes need the real clock."""

from __future__ import annotations

import pickle
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from fakes.keyrings import BrokenKeyring, MemoryKeyring, keyring_in_use

from ticketr.app.config import (
    FoundToken,
    LoginEntry,
    NotPrivate,
    TokenFailed,
    TokenSource,
    Workspace,
    find_token,
    forget_token,
    keychain,
    store_token,
)
from ticketr.app.config.token_file import read_token, write_token

SITE = "https://acme.atlassian.net"
ME = "me@acme.com"


@pytest.fixture
def environ(folder: Path) -> dict[str, str]:
    return {"TICKETR_CONFIG_DIR": str(folder)}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace("acme", tmp_path, SITE, login=LoginEntry(ME), from_environment=True)


async def test_the_sources_are_asked_in_their_order(
    workspace: Workspace, environ: dict[str, str], folder: Path
) -> None:
    sources = []
    write_token(folder, SITE, ME, "from the file")
    with keyring_in_use(MemoryKeyring()):
        sources.append(await find_token(workspace, environ))
        keychain.write(SITE, ME, "from the keyring")
        sources.append(await find_token(workspace, environ))
        command = replace(workspace, login=LoginEntry(ME, ("echo", "from the command")))
        sources.append(await find_token(command, environ))
        environ["JIRA_API_KEY"] = "from the environment"
        sources.append(await find_token(command, environ))

    assert sources == [
        FoundToken(SITE, ME, "from the file", TokenSource.FILE),
        FoundToken(SITE, ME, "from the keyring", TokenSource.KEYRING),
        FoundToken(SITE, ME, "from the command", TokenSource.COMMAND),
        FoundToken(SITE, ME, "from the environment", TokenSource.ENVIRONMENT),
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

    assert found == FoundToken(SITE, "other@acme.com", "x", TokenSource.ENVIRONMENT)


async def test_a_broken_keyring_does_not_hide_the_tokens_file(
    workspace: Workspace, environ: dict[str, str], folder: Path
) -> None:
    with keyring_in_use(BrokenKeyring()):
        with pytest.raises(TokenFailed, match="from the keyring"):
            await find_token(workspace, environ)
        write_token(folder, SITE, ME, "x")
        found = await find_token(workspace, environ)

    assert found == FoundToken(SITE, ME, "x", TokenSource.FILE)


async def test_a_command_that_fails_is_not_passed_over(
    workspace: Workspace, environ: dict[str, str], folder: Path
) -> None:
    write_token(folder, SITE, ME, "x")
    command = replace(workspace, login=LoginEntry(ME, ("false",)))

    with pytest.raises(TokenFailed, match="'false' ended with exit code 1"):
        await find_token(command, environ)


async def test_a_tokens_file_that_others_can_read_is_refused(
    workspace: Workspace, environ: dict[str, str], folder: Path
) -> None:
    write_token(folder, SITE, ME, "x")
    (folder / "tokens.toml").chmod(0o640)

    with pytest.raises(NotPrivate):
        await find_token(workspace, environ)


async def test_a_token_is_kept_in_the_keyring_and_then_not_in_the_file(
    environ: dict[str, str], folder: Path
) -> None:
    assert await store_token(environ, SITE, ME, "old") is TokenSource.FILE
    with keyring_in_use(MemoryKeyring()):
        assert await store_token(environ, SITE, ME, "new") is TokenSource.KEYRING
        assert keychain.read(SITE, ME) == "new"

    assert read_token(folder, SITE, ME) is None


async def test_a_keyring_that_fails_to_store_is_an_error_and_no_file_is_used(
    environ: dict[str, str], folder: Path
) -> None:
    with keyring_in_use(BrokenKeyring()), pytest.raises(TokenFailed) as caught:
        await store_token(environ, SITE, ME, "canary")

    assert "canary" not in str(caught.value) + repr(caught.value)
    assert not folder.exists()


async def test_a_token_is_forgotten_wherever_it_is_kept(environ: dict[str, str]) -> None:
    await store_token(environ, SITE, ME, "x")
    with keyring_in_use(MemoryKeyring()):
        keychain.write(SITE, ME, "x")

        assert await forget_token(environ, SITE, ME) == (TokenSource.FILE, TokenSource.KEYRING)
        assert await forget_token(environ, SITE, ME) == ()


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
        FoundToken(SITE, ME, token, TokenSource.KEYRING)

    assert not token or token not in str(caught.value) + repr(caught.value)


def test_a_login_shows_its_token_nowhere_and_is_not_pickled() -> None:
    found = FoundToken(SITE, ME, "canary", TokenSource.KEYRING)

    assert "canary" not in repr(found)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(found)


def test_a_place_is_named_as_a_sentence_has_it() -> None:
    assert TokenSource.FILE.words == "tokens.toml"
    assert TokenSource.KEYRING.words == "the keyring"
    assert str(TokenFailed("tokens.toml", "x", "y")) == "no token from tokens.toml: x; y"
