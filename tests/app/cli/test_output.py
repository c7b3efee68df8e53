"""Test that output holds no token in any spelling, and no control sequence."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest
import trio
from fakes.jira_raw import raw_site, reply
from fakes.processes import PROGRAM, environment, make_workspace, ticketr
from fakes.users import User

EMAIL = "mia@example.com"
TOKEN = "canary-ATATT3xFfGF0/Px+q=7A"
PAIR = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
BROKEN = ["\x1b".join(TOKEN), "\x1b[1m".join(TOKEN), "\u200b".join(TOKEN), "\u200d".join(PAIR)]
ECHO = {"errorMessages": BROKEN, "errors": {"\u2060".join(TOKEN): "\n".join(PAIR)}}
KIND = {"accountId": "1", "displayName": "\x1b".join(TOKEN)}
FIELD = {"id": "x", "name": "\u200b".join(TOKEN), "schema": {"type": "string"}}


def letters(text: str) -> str:
    return "".join(each for each in text if "!" <= each <= "~")


def check_hidden(*texts: str) -> None:
    """Check that the token cannot be assembled from the texts, nor from lines of JSON in them."""
    for text in texts:
        seen = letters(text)
        for line in text.splitlines():
            with suppress(ValueError):
                seen += letters(json.dumps(json.loads(line), ensure_ascii=False))
        assert TOKEN not in seen
        assert PAIR not in seen


def kept_texts(path: Path) -> Iterator[str]:
    """Yield what a file holds: a text, or the values of a database and its raw bytes."""
    content = path.read_bytes()
    yield content.decode("utf-8", "replace")
    if content.startswith(b"SQLite format 3\0"):
        with closing(sqlite3.connect(path)) as database:
            for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"):
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    yield from (value for value in row if isinstance(value, str))


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "command",
    [["pull"], ["push", "--json"], ["--debug", "sync"], ["--debug", "pull", "--json"]],
    ids=" ".join,
)
async def test_a_token_that_a_server_repeats_in_an_error_is_nowhere(
    tmp_path: Path, command: Sequence[str]
) -> None:
    (tmp_path / "draft.md").write_text("# TICKET: A draft\n")
    async with raw_site(reply(ECHO, status=400)) as site:
        env = environment(site.url, JIRA_EMAIL=EMAIL, JIRA_API_TOKEN=TOKEN)
        ended = await run(command, tmp_path, env)

    assert ended.returncode == 1
    assert "[hidden]" in ended.stderr + ended.stdout
    check_hidden(ended.stderr, ended.stdout)
    kept = [text for path in files(tmp_path) for text in kept_texts(path)]
    assert "[hidden]" in "".join(kept)
    check_hidden(*kept)


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["lines", "json"])
async def test_a_token_in_a_good_answer_is_not_printed(
    tmp_path: Path, options: Sequence[str]
) -> None:
    async with raw_site(reply(KIND)) as site:
        env = environment(
            site.url, JIRA_EMAIL=EMAIL, JIRA_API_TOKEN=TOKEN, JIRA_PROJECT_KEY="", TERM="dumb"
        )
        ended = await run(["workspace", "check", *options], tmp_path, env)

    assert ended.returncode == 0, ended.stderr
    assert "[hidden]" in ended.stdout
    check_hidden(ended.stdout, ended.stderr)


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / ".ticketr").iterdir() if path.is_file()]


async def run(
    arguments: Sequence[str], folder: Path, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    make_workspace(folder)
    ended = await trio.run_process(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=env,
        capture_stderr=True,
        capture_stdout=True,
        check=False,
    )
    return subprocess.CompletedProcess(
        arguments, ended.returncode, ended.stdout.decode(), ended.stderr.decode()
    )


HOSTILE = "\x1b[31mx\x1b]0;owned\x07\x9b5n\x07\u202e"
ARGUMENTS = [
    ["diff", HOSTILE],
    ["resolve", HOSTILE, "--take", "mine"],
    [HOSTILE],
    ["pull", f"--{HOSTILE}"],
    ["pull", "--strategy", HOSTILE],
    ["push", "--http", HOSTILE],
    ["status", "-w", HOSTILE],
    ["pull", HOSTILE],
    ["pull", "-o", HOSTILE],
    ["jobs", "--limit", HOSTILE],
    ["new", "x", "--parent", HOSTILE],
    ["completion", HOSTILE],
    ["sandbox", "--faults", HOSTILE],
    ["sandbox", "--latency", HOSTILE],
    ["sandbox", "--data", f"/dev/null/{HOSTILE}"],
    ["workspace", "use", HOSTILE],
    ["workspace", "remove", HOSTILE],
    ["workspace", "check", HOSTILE],
    ["workspace", "add", HOSTILE, "--site", HOSTILE],
    ["--debug", "diff", HOSTILE],
    ["diff", "\udcff\udcfe"],
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda each: repr(each)[:40])
def test_control_sequences_in_an_argument_are_not_printed(
    arguments: list[str], someone: User
) -> None:
    ended = someone.runs(*arguments)

    assert ended.code in {1, 2}
    assert ended.err
    assert "Traceback" not in ended.err or arguments[0] == "--debug"
    assert "should not happen" not in ended.err
    for told in (ended.out, ended.err):
        assert not set(told) & set("\x1b\x07\x9b\u202e")


def test_nor_is_it_by_the_real_program(tmp_path: Path) -> None:
    ended = ticketr("diff", HOSTILE, folder=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "is not an issue key, such as PROJ-123" in ended.stderr
    assert not set(ended.stderr) & set("\x1b\x07\x9b\u202e")
