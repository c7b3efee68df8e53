"""Run the program as users do: real processes, real sockets, real signals."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment, make_workspace, sandbox_process, ticketr

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


def test_the_progress_is_printed_as_plain_lines(site: str, tmp_path: Path) -> None:
    ended = ticketr("pull", folder=tmp_path, env=environment(site))

    lines = ended.stderr.splitlines()
    if lines[0] == "Pull DEMO started":  # unless the job printed its own line first
        del lines[0]
    assert lines[:3] == ["Connecting to Jira...", "Querying project DEMO...", "Found 60 tickets"]
    assert re.fullmatch(r"Pulling tickets: \d+/60 \(\d+%\)", lines[3])
    assert "Pull complete: 60 tickets" in lines
    assert ended.stdout == ""


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
        return process.wait(20), "".join(lines)


@pytest.mark.unmeasured
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_mid_pull_leaves_whole_files_and_an_honest_count(
    number: signal.Signals, tmp_path: Path
) -> None:
    with sandbox_process(tickets=300, latency=0.3) as url:
        code, output = stopped_in_mid_pull(url, tmp_path, number)
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


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", ["JIRA_URL", "JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_PROJECT_KEY"])
def test_a_missing_setting_ends_with_2_and_its_name(name: str, tmp_path: Path) -> None:
    env = environment("http://127.0.0.1:9")
    del env[name]

    ended = ticketr("pull", folder=tmp_path, env=env)

    assert ended.returncode == 2
    assert name in one_line(ended)
    assert [path.name for path in tmp_path.iterdir()] == ["ticketr.toml"]


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


def test_a_query_that_jira_refuses_is_reported_with_its_message(site: str, tmp_path: Path) -> None:
    ended = ticketr("pull", "--jql", "status = = Done", folder=tmp_path, env=environment(site))

    assert ended.returncode == 1
    assert "JQL" in one_line(ended)


def test_a_file_that_cannot_be_read_is_named_and_left_out_of_the_pull(
    site: str, tmp_path: Path
) -> None:
    text = "# TICKET: Fine\n\n#TICKET: [DEMO-1] No space\n"
    broken = tmp_path / "notes.md"
    broken.write_text(text)

    ended = ticketr("pull", folder=tmp_path, env=environment(site))

    assert ended.returncode == 3
    assert "notes.md:3:1" in ended.stderr
    assert broken.read_text() == text
    names = {path.name for path in tmp_path.glob("*.md")}
    assert len(names) > 1
    assert "DEMO-1.md" not in names  # its file cannot be read


def test_a_folder_that_cannot_be_written_is_named(site: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    ended = ticketr("pull", "-C", "file/inner", folder=tmp_path, env=environment(site))

    assert ended.returncode == 1
    assert "file/inner" in one_line(ended)


def test_debug_shows_the_traceback_that_users_are_spared(tmp_path: Path) -> None:
    env = environment("http://127.0.0.1:9")

    assert "Traceback" in ticketr("--debug", "pull", folder=tmp_path, env=env).stderr


def test_the_version_is_printed(tmp_path: Path) -> None:
    from ticketr import __version__

    assert ticketr("--version", folder=tmp_path).stdout == f"ticketr {__version__}\n"
