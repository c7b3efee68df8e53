"""Run the program as users do: real processes, real sockets, real signals."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import signal
import sqlite3
import subprocess
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pyte
import pytest
from fakes.held_sandbox import Hold, held_demo
from fakes.processes import (
    PROGRAM,
    environment,
    make_workspace,
    sandbox_process,
    sandbox_thread,
    ticketr,
)
from fakes.ptys import Pty, job_on_pty, wait_until

from ticketr.app.config import STATE_FOLDER
from ticketr.app.tickets import parse

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def issues_in(folder: Path) -> list[str]:
    """Parse every file below a folder; return the keys of all issues in them."""
    return [
        key
        for path in sorted(folder.glob("*.md"))
        for ticket in parse(path.read_bytes().decode(), source=path.name).tickets
        for key in ticket.keys()  # noqa: SIM118 - a ticket is not a mapping
    ]


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    with sandbox_process(tickets=60) as url:
        yield url


@pytest.mark.unmeasured
def test_the_demo_pulls_everything_and_says_where_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "here"

    ended = ticketr("demo", "--tickets", "120", "--folder", str(folder), folder=tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == f"120 tickets are now Markdown files in {folder}"
    assert not CONTROL.search(ended.stdout + ended.stderr)
    assert "Pull complete: 120 tickets" in ended.stderr.splitlines()
    keys = issues_in(folder)
    assert len(keys) == len(set(keys)) == 120


def test_a_second_pull_changes_no_file(site: str, tmp_path: Path) -> None:
    first = ticketr("pull", folder=tmp_path, env=environment(site))
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.md")}

    second = ticketr("pull", "--json", folder=tmp_path, env=environment(site))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.md")} == before
    result = json.loads(second.stdout)
    assert (result["status"], result["total"]) == ("completed", 60)
    assert (result["new"], result["updated"], result["unchanged"]) == (0, 0, 60)


def test_the_progress_is_printed_as_plain_lines(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    lines, answers = [], Hold(tmp_path / "go", path="", answered=0)
    with (
        sandbox_thread(tickets=60, holds=[answers]) as url,
        subprocess.Popen(
            [*PROGRAM, "pull"],
            cwd=tmp_path,
            env=environment(url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line.rstrip("\n"))
            if line.startswith("Connecting"):
                answers.file.touch()  # sooner, the next line could come in this one's place
        output = process.communicate()[0]

    if lines[0] == "Pull DEMO started":  # unless the job printed its own line first
        del lines[0]
    assert lines[:3] == [
        "Connecting to Jira...",
        "Querying project DEMO...",
        "Found 60 tickets: 0/60 (0%)",
    ]
    assert re.fullmatch(r"Pulling tickets: \d+/60 \(\d+%\)", lines[3])
    assert "Pull complete: 60 tickets" in lines
    assert output == ""


def stopped_in_mid_pull(url: str, folder: Path, number: signal.Signals) -> tuple[int, str]:
    """Start a pull, send a signal once a file is written, and wait for the end."""
    command = [*PROGRAM, "pull"]
    make_workspace(folder)
    with subprocess.Popen(
        command, cwd=folder, env=environment(url), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line)
            if (found := re.match(r"Pulling tickets: (\d+)/", line)) and int(found[1]) > 0:
                process.send_signal(number)
                break
        lines += process.stderr.readlines()
        return process.wait(), "".join(lines)


@pytest.mark.unmeasured
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_mid_pull_leaves_whole_files_and_an_honest_count(
    number: signal.Signals, tmp_path: Path
) -> None:
    rest = Hold(tmp_path / "go on")
    with sandbox_thread(tickets=300, holds=[rest]) as url:
        code, output = stopped_in_mid_pull(url, tmp_path, number)
        rest.file.touch()
        keys = issues_in(tmp_path)
        again = ticketr("pull", "--json", folder=tmp_path, env=environment(url))

    assert code == 128 + number
    last = output.splitlines()[-1]
    assert last == f"Cancelled: {len(keys)}/300 tickets pulled"
    assert 0 < len(keys) < 300
    assert len(set(keys)) == len(keys)
    result = json.loads(again.stdout)
    assert (again.returncode, result["total"]) == (0, 300)
    assert result["new"] == 300 - len(keys)
    assert sorted(issues_in(tmp_path)) == sorted({*issues_in(tmp_path)})
    assert len(issues_in(tmp_path)) == 300


def one_line(ended: subprocess.CompletedProcess[str]) -> str:
    """Return the error that a command ended with: its last line, without a traceback before it."""
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


def bad_settings(site: str) -> Iterator[tuple[dict[str, str], str]]:
    yield environment(site, JIRA_API_TOKEN="canary-7391"), "token"
    yield environment(site, JIRA_PROJECT_KEY="NOPE"), "NOPE"
    yield environment("http://127.0.0.1:9"), "127.0.0.1:9"


@pytest.mark.parametrize("index", range(3), ids=["token", "project", "address"])
def test_a_refusal_of_jira_or_the_network_ends_with_1_and_one_line(
    index: int, site: str, tmp_path: Path
) -> None:
    env, named = list(bad_settings(site))[index]

    ended = ticketr("pull", folder=tmp_path, env=env)

    assert ended.returncode == 1
    assert one_line(ended).startswith("Pull failed: ")
    assert named in one_line(ended)
    assert "canary-7391" not in ended.stderr + ended.stdout
    assert list(tmp_path.glob("*.md")) == []


def test_debug_shows_the_traceback_that_users_are_spared(tmp_path: Path) -> None:
    env = environment("http://127.0.0.1:9")

    assert "Traceback" in ticketr("--debug", "pull", folder=tmp_path, env=env).stderr


def test_the_version_is_printed(tmp_path: Path) -> None:
    from ticketr import __version__

    assert ticketr("--version", folder=tmp_path).stdout == f"ticketr {__version__}\n"


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
DRAFT = """\
# TICKET: Let a buyer pay by bank transfer

## Description
| Country | Days |
|---|---|
| Germany | 1 |
| Austria | 2 |

> [!WARNING]
> Ask @[demo@example.com] before {2026-03-01}.

![The form](pics/form.png){wide}

The order waits until the money is there.

## Fields
Type: Story

## Comments
- new: Have a look at the *form*, please.
"""


@pytest.fixture
def small_site() -> Generator[str]:
    with sandbox_process(tickets=3) as url:
        yield url


class Jira:
    """What a person sees and does at the page of an issue in Jira."""

    def __init__(self, site: str, key: str) -> None:
        self._url = f"{site}/rest/api/3/issue/{key}"

    def look(self) -> dict[str, Any]:
        return self._ask("GET", "?expand=renderedFields", None)

    def describe(self, document: dict[str, Any]) -> None:
        self._ask("PUT", "", {"fields": {"description": document}})

    def _ask(self, method: str, query: str, body: object) -> dict[str, Any]:
        login = base64.b64encode(b"demo@example.com:demo").decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self._url + query, data, headers, method=method)
        with urllib.request.urlopen(request) as response:
            answer = response.read()
        found: dict[str, Any] = json.loads(answer) if answer else {}
        return found


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.unmeasured
def test_a_ticket_written_by_hand_is_seen_and_edited_in_jira_and_comes_back(
    small_site: str, tmp_path: Path
) -> None:
    env = environment(small_site)
    (tmp_path / "ticketr.toml").write_text("comments = true\n")
    assert ticketr("pull", folder=tmp_path, env=env).returncode == 0
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "form.png").write_bytes(PNG)
    path = tmp_path / "transfer.md"
    path.write_text(DRAFT)

    planned = ticketr("push", "--dry-run", folder=tmp_path, env=env)
    assert "New attachment: pics/form.png, 68 bytes" in planned.stdout + planned.stderr
    pushed = ticketr("push", "--json", folder=tmp_path, env=env)

    result = json.loads(pushed.stdout)
    assert (pushed.returncode, result["failed"], result["warnings"]) == (0, [], []), pushed.stderr
    (created,) = result["created"]
    key = created["key"]
    jira = Jira(small_site, key)
    seen = jira.look()
    (attachment,) = seen["fields"]["attachment"]
    assert (attachment["filename"], attachment["size"]) == ("form.png", len(PNG))
    document = seen["fields"]["description"]
    table, panel, picture, words = document["content"]
    assert [each["type"] for each in (table, panel, picture, words)] == [
        *("table", "panel", "mediaSingle", "paragraph")
    ]
    assert [each["type"] for each in panel["content"][0]["content"]] == [
        *("text", "mention", "text", "date", "text")
    ]
    rendered = seen["renderedFields"]["description"]
    for piece in (
        "<td><p>Austria</p></td>",
        f'<img src="{attachment["content"]}" alt="The form"/>',
        "The order waits until the money is there.",
    ):
        assert piece in rendered
    (comment,) = seen["fields"]["comment"]["comments"]
    assert comment["body"]["content"][0]["content"][1]["marks"] == [{"type": "em"}]

    # The file has what Jira has, in the words of its author.
    written = path.read_text()
    assert written.startswith(f"# TICKET: [{key}] Let a buyer pay by bank transfer\n")
    assert "![The form](attachment:form.png){wide}\n" in written
    assert "> [!WARNING]\n> Ask @[" in written
    assert "Have a look at the *form*, please.\n" in written
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--", "*.md")
    git(tmp_path, "commit", "-q", "-m", "first")
    assert ticketr("pull", folder=tmp_path, env=env).returncode == 0
    assert git(tmp_path, "diff") == ""

    # A colleague edits it in Jira, and just that edit comes back.
    words["content"][0]["text"] = "The order waits for the money."
    jira.describe(document)
    assert ticketr("pull", folder=tmp_path, env=env).returncode == 0

    changed = [
        line
        for line in git(tmp_path, "diff", "--unified=0").splitlines()
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
    ]
    assert changed == [
        "-The order waits until the money is there.",
        "+The order waits for the money.",
    ]
    assert json.loads(ticketr("push", "--json", folder=tmp_path, env=env).stdout)["total"] == 0


TICKETS = 900
WIDTH, HEIGHT = 100, 24
#: A number of tickets that shows that the pull is running and far from its end.
SOME = rf"\([1-9]\d*/{TICKETS}\) Pulling tickets"
COMPLETE = f"Pull complete: {TICKETS} tickets"
RESULT = f"{TICKETS} new, 0 updated, 0 unchanged"
REDRAW = "\x0c"
FRAME_END = "\x1b[?2026l"
#: The header and the panel of the ticket once nothing more changes.
SETTLED = r"synced now[\s\S]*─ 3 [A-Z]+-\d+ "


def settled_in(folder: Path) -> int:
    """Return how many issues are on disk, by the workspace's state."""
    with closing(sqlite3.connect(folder / STATE_FOLDER / "state.db")) as state:
        return int(state.execute("SELECT count(*) FROM issue").fetchone()[0])


def count_in(folder: Path) -> int:
    """Count the issues in the files; fail if a file is incomplete."""
    files = folder.glob("*.md")
    return sum(
        ticket.count_issues() for path in files for ticket in parse(path.read_text()).tickets
    )


def is_being_pulled(folder: Path) -> bool:
    """Return whether a job holds the workspace's lock."""
    descriptor = os.open(folder / STATE_FOLDER / "lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def pull_to_the_end_unread(pty: Pty, folder: Path, rest: Path) -> None:
    """Stop reading during a pull, fill the terminal, and wait until all files are written."""
    pty.wait_for(SOME)
    pty.fill()
    assert pty.is_full()
    assert settled_in(folder) < TICKETS
    rest.touch()

    wait_until(lambda: not is_being_pulled(folder))

    assert pty.is_full()  # the terminal was never read, so nothing could be drawn
    assert settled_in(folder) == count_in(folder) == TICKETS


def rows_on(pty: Pty) -> list[str]:
    """Return the rows that the user sees."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(screen).feed(pty.output)
    return list(screen.display)


def wait_for_end_of_frame(pty: Pty, text: str) -> None:
    """Read until a frame with this text is complete."""
    pty.wait_for(rf"{re.escape(text)}[\s\S]*?{re.escape(FRAME_END)}")


@pytest.mark.unmeasured
def test_the_app_goes_on_pulling_on_a_terminal_that_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    rest = tmp_path / "go on"
    held = held_demo(pull=rest)
    with job_on_pty(demo(folder, tickets=TICKETS), size=(WIDTH, HEIGHT), environ=held) as pty:
        pull_to_the_end_unread(pty, folder, rest)

        wait_for_end_of_frame(pty, COMPLETE)
        counts = re.findall(rf"\((\d+)/{TICKETS}\) Pulling", pty.output.rpartition("\0")[2])
        # The state of the workspace is drawn with the result of the pull or in a later frame.
        while not re.search(SETTLED, "\n".join(shown := rows_on(pty))):
            pty.wait_for(re.escape(FRAME_END))
        pty.type(REDRAW)
        wait_for_end_of_frame(pty, COMPLETE)

        assert COMPLETE in shown[-1]
        assert shown == rows_on(pty)  # no row is left from drawing on the full terminal
        # The frames in between were skipped: after a late one, only the newest was drawn.
        assert len({*counts} - {str(TICKETS)}) <= 1
        pty.type("q")
        assert pty.wait_for_end() == 0
        assert pty.is_restored()


@pytest.mark.unmeasured
def test_the_command_goes_on_pulling_on_a_terminal_that_is_not_read(tmp_path: Path) -> None:
    rest = Hold(tmp_path / "go on")
    with (
        sandbox_thread(tickets=TICKETS, holds=[rest]) as url,
        job_on_pty(
            [*PROGRAM, "pull", f"--folder={tmp_path}"],
            size=(WIDTH, HEIGHT),
            environ=environment(url),
        ) as pty,
    ):
        pull_to_the_end_unread(pty, tmp_path, rest.file)

        pty.wait_for(rf"{RESULT}\r+\n")
        assert pty.wait_for_end() == 0
        assert pty.modes() == pty.modes_before
        # The status line could not be erased in time, but the result has a line of its own.
        assert [row for row in rows_on(pty) if row.strip()][-1].rstrip() == RESULT


#: A number of tickets that shows that the pull is running and far from its end.
RUNNING = r"\(([1-9]\d*)/1500\) Pulling tickets"


def demo(folder: Path, *, tickets: int = 1500) -> list[str]:
    return [*PROGRAM, "demo", f"--tickets={tickets}", f"--folder={folder}"]


def demo_in_mid_pull(folder: Path) -> AbstractContextManager[Pty]:
    """Run a demo whose pull does not end."""
    held = held_demo(pull=folder / "never")
    return job_on_pty(demo(folder), size=(100, 24), environ=held)


@pytest.mark.unmeasured
def test_escape_in_mid_pull_leaves_an_honest_count_on_the_screen(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with demo_in_mid_pull(folder) as pty:
        pty.wait_for(RUNNING)
        pty.type("\x1b")
        cancelled = pty.wait_for(r"Cancelled: (\d+)/1500 tickets pulled")
        count = count_in(folder)
        pty.type("q")
        code = pty.wait_for_end()

        assert int(cancelled[1]) == count
        assert 0 < count < 1500
        assert code == 0
        assert pty.is_restored()


@pytest.mark.unmeasured
@pytest.mark.parametrize("key", ["q", "\x03"], ids=["q", "ctrl-c"])
def test_leaving_in_mid_pull_prints_the_count_and_ends_with_0(key: str, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with demo_in_mid_pull(folder) as pty:
        pty.wait_for(RUNNING)
        pty.type(key)
        code = pty.wait_for_end()
        last = re.findall(r"Cancelled: (\d+)/1500 tickets pulled", pty.output)[-1]

        assert (code, int(last)) == (0, count_in(folder))
        assert pty.is_restored()


@pytest.mark.unmeasured
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_mid_pull_restores_the_terminal(number: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with demo_in_mid_pull(folder) as pty:
        pty.wait_for(RUNNING)
        os.kill(pty.pid, number)
        code = pty.wait_for_end()

        assert code == 128 + number
        assert pty.is_restored()
        assert count_in(folder) > 0


@pytest.mark.unmeasured
def test_a_suspend_during_a_pull_restores_the_terminal_and_fg_continues(tmp_path: Path) -> None:
    with demo_in_mid_pull(tmp_path / "work") as pty:
        pty.wait_for(RUNNING)
        pty.type("\x1a")
        pty.wait_for_report("stopped")
        pty.wait_for(r"\x1b\[\?1049l")
        assert pty.is_restored()

        pty.command("fg")
        pty.wait_for(r"\x1b\[\?1049h")
        pty.wait_for(RUNNING)
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert pty.is_restored()


@pytest.mark.unmeasured
def test_a_whole_pull_shows_its_tickets_and_can_be_read(tmp_path: Path) -> None:
    with job_on_pty(demo(tmp_path / "work", tickets=40), size=(100, 24)) as pty:
        pty.wait_for("Pull complete: 40 tickets")
        pty.type("\r\r")  # the ticket fills the screen, whatever was drawn of it before
        pty.wait_for("People who half remember a title")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert pty.is_restored()
