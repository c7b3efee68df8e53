"""Test the places of a token: the keyring, the file, a command, which is a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
from fakes.keyrings import BrokenKeyring, MemoryKeyring, keyring_in_use
from keyring.backends.null import Keyring as NullKeyring

from ticketr.app.config import BadFile, NotPrivate, TokenFailed, keychain, token_command
from ticketr.app.config.token_command import run_token_command
from ticketr.app.config.tokens import (
    TOKEN_FILE,
    delete_token_from_file,
    read_token_from_file,
    write_token_to_file,
)

SITE = "https://acme.atlassian.net"


def test_a_token_is_returned_for_exactly_its_site_and_account() -> None:
    backend = MemoryKeyring()
    with keyring_in_use(backend):
        keychain.write(SITE, "me@acme.com", "one")
        keychain.write(SITE, "", "alone")

        assert keychain.is_available()
        assert keychain.read(SITE, "me@acme.com") == "one"
        assert keychain.read(SITE, "") == "alone"
        assert keychain.read(SITE, "you@acme.com") is None
        assert keychain.read("https://other.example", "me@acme.com") is None
    assert (f"ticketr {SITE}", "me@acme.com") in backend.kept


def test_a_forgotten_token_is_gone() -> None:
    with keyring_in_use(MemoryKeyring()):
        keychain.write(SITE, "me@acme.com", "one")

        assert keychain.delete(SITE, "me@acme.com")
        assert not keychain.delete(SITE, "me@acme.com")
        assert keychain.read(SITE, "me@acme.com") is None


def test_a_keyring_that_keeps_nothing_is_none() -> None:
    assert not keychain.is_available()  # the fixture provides a system without a keyring
    with keyring_in_use(NullKeyring()):  # type: ignore[no-untyped-call]  # keyring's own
        assert not keychain.is_available()


def test_without_the_package_there_is_no_keyring() -> None:
    program = (
        "import sys; sys.modules['keyring'] = None\n"
        "from ticketr.app.config import keychain; print(keychain.is_available())"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert told.stdout == b"False\n"


def test_a_broken_keyring_raises_ticketrs_error_without_its_message() -> None:
    with keyring_in_use(BrokenKeyring()):
        with pytest.raises(
            TokenFailed, match=r"from the keyring: it failed \(RuntimeError\)"
        ) as one:
            keychain.write(SITE, "me@acme.com", "canary")
        with pytest.raises(TokenFailed, match=r"it failed \(OSError\); unlock or mend it"):
            keychain.read(SITE, "me@acme.com")
        with pytest.raises(TokenFailed):
            keychain.delete(SITE, "me@acme.com")

    assert "canary" not in str(one.value) + repr(one.value)
    assert one.value.__cause__ is None
    assert one.value.__suppress_context__


OTHER = "https://other.example"


def test_a_token_of_the_file_is_returned_for_exactly_its_site_and_account(folder: Path) -> None:
    write_token_to_file(folder, SITE, "me@acme.com", "one")
    write_token_to_file(folder, SITE, "you@acme.com", "two")
    write_token_to_file(folder, OTHER, "", 'a"\\three')

    assert read_token_from_file(folder, SITE, "me@acme.com") == "one"
    assert read_token_from_file(folder, SITE, "you@acme.com") == "two"
    assert read_token_from_file(folder, OTHER, "") == 'a"\\three'
    assert read_token_from_file(folder, OTHER, "me@acme.com") is None
    assert read_token_from_file(folder, f"{SITE}/x", "me@acme.com") is None
    assert (folder / TOKEN_FILE).stat().st_mode & 0o777 == 0o600


def test_a_new_token_replaces_the_old_one(folder: Path) -> None:
    write_token_to_file(folder, SITE, "me@acme.com", "one")
    write_token_to_file(folder, SITE, "me@acme.com", "two")

    assert read_token_from_file(folder, SITE, "me@acme.com") == "two"
    assert "one" not in (folder / TOKEN_FILE).read_text()


def test_a_forgotten_token_is_nowhere_in_the_folder(folder: Path) -> None:
    write_token_to_file(folder, SITE, "me@acme.com", "canary")
    write_token_to_file(folder, OTHER, "me@acme.com", "kept")

    assert delete_token_from_file(folder, SITE, "me@acme.com")
    assert not delete_token_from_file(folder, SITE, "me@acme.com")

    assert read_token_from_file(folder, OTHER, "me@acme.com") == "kept"
    assert all("canary" not in path.read_text() for path in folder.iterdir())


def test_a_file_that_others_can_read_is_refused(folder: Path) -> None:
    write_token_to_file(folder, SITE, "me@acme.com", "canary")
    (folder / TOKEN_FILE).chmod(0o644)

    with pytest.raises(NotPrivate, match="chmod 600") as caught:
        read_token_from_file(folder, SITE, "me@acme.com")
    with pytest.raises(NotPrivate):
        write_token_to_file(folder, SITE, "me@acme.com", "canary")

    assert "canary" not in repr(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f'"{SITE}" = "canary"\n',
        f'["{SITE}"]\n"me@acme.com" = ["canary"]\n',
        f'["{SITE}"]\n"me@acme.com" = canary\n',
        f'["{SITE}"]\n"me@acme.com" = "canary\n',
        '"canary" = 1\n= 1\n',
    ],
)
def test_a_broken_file_is_refused_without_its_secrets(text: str, folder: Path) -> None:
    write_token_to_file(folder, OTHER, "me@acme.com", "x")
    (folder / TOKEN_FILE).write_text(text)

    with pytest.raises(BadFile, match=r"tokens.toml:\d") as caught:
        read_token_from_file(folder, SITE, "me@acme.com")

    assert "canary" not in str(caught.value) + repr(caught.value)


async def run(words: Sequence[str], folder: Path, *, interactive: bool = False) -> str:
    with trio.fail_after(100):
        return await run_token_command(words, folder=folder, interactive=interactive)


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


async def test_the_first_line_is_the_token(tmp_path: Path) -> None:
    assert await run(python("print('  tok en \\nlogin: me')"), tmp_path) == "tok en"


async def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    words = ["echo", "$HOME", "`id`", ";", "touch", "x", ">y", "*"]

    assert await run(words, tmp_path) == "$HOME `id` ; touch x >y *"
    assert list(tmp_path.iterdir()) == []


async def test_a_relative_program_is_one_of_the_users_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile, own = tmp_path / "repository", tmp_path / "config"
    for folder in (hostile, own):
        folder.mkdir()
        program = folder / "get-token"
        program.write_text(f"#!/bin/sh\necho {folder.name}\n")
        program.chmod(0o700)
    monkeypatch.chdir(hostile)

    assert await run(["./get-token"], own) == "config"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["/no/such/canary-free"], "cannot be started: No such file or directory"),
        (["echo", "\0canary"], "cannot be started: a NUL in it"),
        (python("print('canary'); raise SystemExit(3)"), "ended with exit code 3"),
        (python("import os; os.kill(os.getpid(), 9)"), "ended with exit code -9"),
        (python("print('\\ncanary')"), "printed no token on its first line"),
        (python("pass"), "printed no token on its first line"),
    ],
)
async def test_a_failure_names_the_program_and_shows_neither_words_nor_output(
    words: list[str], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(TokenFailed) as caught:
        await run([*words, "--password=canary"], tmp_path)

    said = str(caught.value)
    assert f"no token from the token_command: {words[0]!r} {problem}; run the command" in said
    assert "canary" not in (said + repr(caught.value)).replace("canary-free", "")


async def test_a_command_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_command, "COMMAND_TIMEOUT_SECONDS", 0.3)

    with pytest.raises(TokenFailed, match="did not end within 0 s"):
        await run(["sleep", "60"], tmp_path)


async def test_a_cancel_ends_the_command_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")
    program = (
        "import os, time; print(os.getpid(), file=open('pid', 'w'), flush=True); time.sleep(60)"
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, python(program), tmp_path)
        async with await trio.open_file(tmp_path / "pid") as pipe:
            pid = int(await pipe.readline())
        nursery.cancel_scope.cancel()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_without_a_terminal_it_has_no_input_and_shows_no_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = "import sys; print('password?', file=sys.stderr); print(repr(sys.stdin.read()))"

    assert await run(python(program), tmp_path) == "''"
    assert capfd.readouterr().err == ""


async def test_in_a_terminal_it_may_ask(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = "import sys; print('password?', file=sys.stderr); print('x')"

    assert await run(python(program), tmp_path, interactive=True) == "x"
    assert capfd.readouterr().err == "password?\n"
