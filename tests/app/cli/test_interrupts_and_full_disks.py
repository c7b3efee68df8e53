"""Test signals and full disks outside of any job, and that output holds no token and no control sequence."""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest
import trio
from fakes.jira_raw import raw_site, reply
from fakes.processes import PROGRAM, environment, make_workspace, ticketr
from fakes.users import User

WITH_COMMAND = (
    '[sites."https://acme.atlassian.net"]\nemail = "me@acme.com"\ntoken_command = {command}\n'
)
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def settings(folder: Path) -> dict[str, str]:
    """Return an environment whose token command writes to a pipe and then hangs."""
    folder.mkdir(mode=0o700)
    os.mkfifo(folder / "told")
    script = "import time; told = open('told', 'w'); told.write('here\\\\n'); told.flush(); "
    command = [sys.executable, "-c", script + "time.sleep(300)"]
    words = "[" + ", ".join(f'"{word}"' for word in command) + "]"
    config = folder / "config.toml"
    config.write_text(WITH_COMMAND.format(command=words))
    config.chmod(0o600)
    site = "https://acme.atlassian.net"
    config_folder = str(folder)
    return environment(site, JIRA_EMAIL="", JIRA_API_TOKEN="", TICKETR_CONFIG_DIR=config_folder)


def interrupted(*command: str, folder: Path) -> tuple[int, str, str]:
    """Send SIGINT while the token command runs, and wait until that has ended, too."""
    env = settings(folder / "config")
    make_workspace(folder)
    with (
        subprocess.Popen(
            [*PROGRAM, *command],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        (folder / "config" / "told").open() as told,
    ):
        assert told.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        assert told.read() == ""  # the other end is closed
    return process.returncode, out, err


@pytest.mark.parametrize("command", [["pull"], ["push"], ["workspace", "check"]])
def test_ctrl_c_while_a_token_command_runs_is_one_line_and_130_and_ends_it(
    command: list[str], tmp_path: Path
) -> None:
    ended = interrupted(*command, folder=tmp_path)

    assert ended == (130, "", "ticketr: interrupted\n")


def test_ctrl_c_while_a_token_command_runs_shows_where_for_debug(tmp_path: Path) -> None:
    code, _, err = interrupted("--debug", "pull", folder=tmp_path)

    assert code == 130
    assert "KeyboardInterrupt" in err


LOADING = """
import signal, sys
from ticketr.app.cli import main

class Interrupt:
    left = int(sys.argv.pop(1))

    def find_spec(self, name, path=None, target=None):
        Interrupt.left -= 1
        if not Interrupt.left:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
main()
"""


#: Prints a line from inside of `main`: before it, Ctrl+C is Python's own affair.
STARTED = """
import sys
from ticketr.app.cli import main

class Told:
    def find_spec(self, name, path=None, target=None):
        if name == "ticketr.app.cli.exits":
            print(flush=True)

sys.meta_path.insert(0, Told())
main()
"""


def interrupt_import(number: int, command: str, folder: Path) -> tuple[int, str]:
    """Send SIGINT as the command imports its n-th module; return its code and its errors.

    Once the command itself runs, click ends the line of the terminal's ``^C`` first.
    """
    ended = subprocess.run(
        [sys.executable, "-c", LOADING, str(number), command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stderr.removeprefix("\n")


@pytest.mark.parametrize("number", [1, 2, 3, 5, 10, 20, 50, 100])
def test_ctrl_c_while_the_program_is_loaded_is_one_line_and_130(
    number: int, tmp_path: Path
) -> None:
    ended = interrupt_import(number, "status", tmp_path)

    assert ended == (130, "ticketr: interrupted\n")


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", ["status", "pull", "--help"])
def test_ctrl_c_at_every_import_is_one_line_and_130(command: str, tmp_path: Path) -> None:
    make_workspace(tmp_path)
    number = 1
    while (ended := interrupt_import(number, command, tmp_path))[0] == 130:
        assert ended == (130, "ticketr: interrupted\n"), number
        number += 1

    assert number > 30
    assert "Traceback" not in ended[1]


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("command", ["status", "pull", "--help", "completion"])
def test_ctrl_c_at_any_time_shows_no_traceback(command: str, tmp_path: Path) -> None:
    make_workspace(tmp_path)
    for number in range(300):
        with subprocess.Popen(
            [sys.executable, "-c", STARTED, command],
            cwd=tmp_path,
            env=environment("http://127.0.0.1:9"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(number / 300 * 0.4)  # noqa: TID251 - a real process, at any time
            process.send_signal(signal.SIGINT)
            _, err = process.communicate()

        assert "Traceback" not in err, number
        assert "Exception ignored" not in err, number
        assert process.returncode in {0, 1, 2, 130, -signal.SIGINT}, number


@needs_full
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["--help"], ["jobs"]])
def test_a_full_disk_behind_the_output_is_named_in_one_line(
    command: list[str], unbuffered: str, tmp_path: Path
) -> None:
    with FULL.open("w") as full:
        ended = subprocess.run(
            [*PROGRAM, *command],
            cwd=tmp_path,
            env=environment(PYTHONUNBUFFERED=unbuffered),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    words = "ticketr: cannot write the output: No space left on device\n"
    assert (ended.returncode, ended.stderr) == (1, words)


def test_a_closed_pipe_prints_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        ended = subprocess.run(
            [*PROGRAM, "status", "--json"],
            cwd=tmp_path,
            env=environment(),
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (1, "")


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


async def test_a_token_in_a_good_answer_is_not_printed(tmp_path: Path) -> None:
    async with raw_site(reply(KIND)) as site:
        env = environment(
            site.url, JIRA_EMAIL=EMAIL, JIRA_API_TOKEN=TOKEN, JIRA_PROJECT_KEY="", TERM="dumb"
        )
        ended = await run(["workspace", "check"], tmp_path, env)

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
    assert "is not a key; a key looks like PROJ-123" in ended.stderr
    assert not set(ended.stderr) & set("\x1b\x07\x9b\u202e")
