"""Test token commands; they are real processes, so the clock is real."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from ticketr.app.config import TokenFailed, token_command
from ticketr.app.config.token_command import run_token_command


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
        (python("print('canary' * 50_000)"), "printed far more than a token"),
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
    monkeypatch.setattr(token_command, "TIMEOUT", 0.3)

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
