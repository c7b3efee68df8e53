"""Test ``ticketr demo``, which goes on with the same site in the same folder, and ``ticketr sandbox``."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from fakes.processes import PROGRAM, environment, reserved_port, sandbox_process, ticketr
from fakes.ptys import wait_until

from jira_sandbox import SiteFile, open_site
from jira_sandbox.cli import sandbox
from jira_sandbox.errors import DataFailed
from ticketr.app.cli.app import cli
from ticketr.app.cli.demo_site import SandboxFailed, open_sandbox

AUTH = ("demo@example.com", "demo")


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return ticketr("demo", "--folder", str(folder / "demo"), *arguments, folder=folder)


def demo_again(folder: Path) -> subprocess.CompletedProcess[str]:
    with reserved_port(port_of(folder)):
        return demo(folder)


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (folder / "demo").glob("*.md")}


def data_of(folder: Path) -> Path:
    return folder / "demo" / ".ticketr" / "demo.db"


def port_of(folder: Path) -> int:
    with closing(sqlite3.connect(data_of(folder))) as database:
        (value,) = database.execute("SELECT value FROM about WHERE name = 'port'").fetchone()
    return int(value)


@contextmanager
def begun(folder: Path, tickets: int) -> Generator[None]:
    """Open a site in a demo's file in this process."""
    data_of(folder).parent.mkdir(parents=True)
    with SiteFile(data_of(folder)) as file:
        open_site(file, tickets=tickets)
        yield


def test_a_second_demo_in_a_folder_finds_everything_as_it_was(tmp_path: Path) -> None:
    first = demo(tmp_path, "--tickets=20")
    before = files(tmp_path)

    second = demo_again(tmp_path)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert second.stdout == f"20 tickets are now Markdown files in {tmp_path / 'demo'}\n"
    assert files(tmp_path) == before != {}


def test_changes_on_the_site_of_a_demo_are_there_the_next_time(tmp_path: Path) -> None:
    demo(tmp_path, "--tickets=20")
    before = files(tmp_path)
    story = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "A new one"}
    with (
        sandbox_process(tickets=20, arguments=["--data", str(data_of(tmp_path))]) as url,
        httpx.Client(
            base_url=f"{url}/rest/api/3/", auth=AUTH, trust_env=False, timeout=None
        ) as client,
    ):
        client.put("issue/DEMO-1", json={"fields": {"summary": "Changed by hand"}})
        client.post("issue", json={"fields": story})
        word = {"type": "paragraph", "content": [{"type": "text", "text": "A word of mine"}]}
        body = {"type": "doc", "version": 1, "content": [word]}
        client.post("issue/DEMO-1/comment", json={"body": body})

    ended = demo_again(tmp_path)

    after = files(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert sorted(after.keys() - before.keys()) == ["DEMO-21.md"]
    assert after["DEMO-21.md"].startswith("# TICKET: [DEMO-21] A new one\n")
    assert after["DEMO-1.md"].startswith("# TICKET: [DEMO-1] Changed by hand\n")
    assert "A word of mine" in after["DEMO-1.md"].partition("\n## Comments\n")[2]


def test_git_does_not_see_the_file_of_the_demo(tmp_path: Path) -> None:
    demo(tmp_path, "--tickets=1")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path / "demo", check=True)

    listed = subprocess.run(
        ["git", "status", "--short"],
        cwd=tmp_path / "demo",
        check=True,
        capture_output=True,
        text=True,
    )

    assert listed.stdout == "?? DEMO-1.md\n"


@pytest.mark.unmeasured
def test_a_demo_that_was_killed_goes_on_at_the_same_address(tmp_path: Path) -> None:
    command = [*PROGRAM, "demo", "--folder", str(tmp_path / "demo"), "--tickets=300"]
    with subprocess.Popen(
        [*command, "--latency=0.2"],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Found"):
                process.send_signal(signal.SIGKILL)
                break
    port = port_of_killed(tmp_path)

    ended = demo_again(tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"300 tickets are now Markdown files in {tmp_path / 'demo'}\n"
    assert port_of(tmp_path) == port


def is_free(path: Path) -> bool:
    """Return whether no sandbox has a file open."""
    try:
        with SiteFile(path):
            return True
    except DataFailed:
        return False


def port_of_killed(folder: Path) -> int:
    """Serve the demo's file once more, and return the port."""
    wait_until(lambda: is_free(data_of(folder)))  # the sandbox ends after the demo
    with sandbox_process(tickets=300, arguments=["--data", str(data_of(folder))]) as url:
        return int(url.rsplit(":", 1)[1])


def test_a_demo_whose_port_was_taken_says_so_and_loses_nothing(tmp_path: Path) -> None:
    demo(tmp_path, "--tickets=5")
    before, port = files(tmp_path), port_of(tmp_path)
    with socket.create_server(("127.0.0.1", port)):
        ended = demo(tmp_path)

    assert ended.returncode == 1
    begin, problem = ended.stderr.splitlines()
    assert begin == "starting a Jira with made-up tickets on this machine..."
    assert problem.startswith(
        f"ticketr: the sandbox did not start: cannot listen on 127.0.0.1 port {port}: "
    )
    assert files(tmp_path) == before
    with closing(sqlite3.connect(data_of(tmp_path))) as database:
        assert database.execute("SELECT count(*) FROM issue").fetchone() == (5,)
    assert port_of(tmp_path) == port


def test_a_demo_in_a_folder_where_one_runs_says_so(tmp_path: Path) -> None:
    with begun(tmp_path, 1):
        ended = demo(tmp_path)

    assert ended.returncode == 1
    assert "demo.db cannot be used: another sandbox has it open" in ended.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("in the way")

    ended = demo(tmp_path)

    assert ended.returncode == 1
    assert str(tmp_path / "demo") in ended.stderr
    assert "should not happen" not in ended.stderr


async def test_a_sandbox_that_does_not_start_is_an_error_with_its_last_line(
    tmp_path: Path,
) -> None:
    with pytest.raises(SandboxFailed) as caught:
        async with open_sandbox(data=tmp_path / "no" / "such" / "folder.db"):
            raise AssertionError

    assert str(caught.value) == (
        f"the sandbox did not start: the site's file {tmp_path}/no/such/folder.db cannot be used: "
        "unable to open database file"
    )


def test_it_has_the_options_of_jira_sandbox() -> None:
    assert cli.commands["sandbox"].params == sandbox.params


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_ends_with_0_when_it_is_stopped(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*PROGRAM, "sandbox", "--tickets=1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        process.send_signal(number)
        _, errors = process.communicate()

    assert (process.returncode, errors) == (0, "")


def test_its_errors_are_those_of_ticketr(tmp_path: Path) -> None:
    wrong = ticketr("sandbox", "--faults", "404=1", folder=tmp_path)
    failed = ticketr("sandbox", "--data", "missing/site.db", folder=tmp_path)

    assert (wrong.returncode, failed.returncode) == (2, 1)
    assert wrong.stderr.startswith("ticketr: Invalid value for --faults: '404' is not one of all,")
    assert wrong.stderr.endswith("\ntry 'ticketr sandbox --help'\n")
    assert failed.stderr.startswith("ticketr: the site's file missing/site.db cannot be used: ")
