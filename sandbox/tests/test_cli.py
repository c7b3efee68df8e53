"""The command, run as users run it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from jira_sandbox.cli import main

AUTH = ("demo@example.com", "demo")
COMMAND = [sys.executable, "-P", "-m", "jira_sandbox"]


def jira_sandbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=100, check=False
    )


@contextmanager
def child(*arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Start the sandbox; yield its process and its address."""
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on "), (line, process.communicate())
            yield process, line.removeprefix("listening on ").strip()
        finally:
            process.terminate()
            process.wait(20)


def test_faults_make_the_sandbox_hostile() -> None:
    with (
        child("--tickets=1", "--faults", "429=0.5,500=0.5,seed=2") as (_, url),
        httpx.Client(base_url=f"{url}/rest/api/3/", auth=AUTH, trust_env=False) as client,
    ):
        statuses = {client.get("myself").status_code for _ in range(20)}

    assert statuses == {429, 500}


def test_faults_that_are_not_understood_end_with_2_and_the_names_of_those_that_are() -> None:
    ended = jira_sandbox("--faults", "404=1")

    assert ended.returncode == 2
    assert "'404' is not one of all, 429, 500, 502, 503, html, drop, lost" in ended.stderr


@pytest.mark.parametrize(("host", "warns"), [("0.0.0.0", True), ("localhost", False)])
def test_an_address_that_others_can_reach_warns_of_the_known_token(host: str, warns: bool) -> None:
    with child("--tickets=1", f"--host={host}") as (process, _):
        process.terminate()
        said = process.communicate()[1]

    assert ("log in with the known token demo" in said) is warns


def test_a_hang_does_not_keep_the_sandbox_from_ending_with_0() -> None:
    with (
        child("--tickets=1", "--faults=hang=1") as (process, url),
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as waiting,
    ):
        waiting.sendall(b"GET /rest/api/3/myself HTTP/1.1\r\nhost: x\r\n\r\n")
        waiting.settimeout(0.3)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=100)

    assert (process.returncode, errors) == (0, "")


@contextmanager
def sandbox_on(data: Path, *arguments: str) -> Generator[tuple[str, httpx.Client]]:
    """Start a sandbox with its site in a file; yield it, its address and a client."""
    with (
        child("--tickets=5", f"--data={data}", *arguments) as (_, url),
        httpx.Client(base_url=f"{url}/rest/api/3/", auth=AUTH, trust_env=False) as client,
    ):
        yield url, client


def test_a_site_in_a_file_goes_on_where_it_was_at_the_same_address(tmp_path: Path) -> None:
    with sandbox_on(tmp_path / "site.db") as (first, client):
        edited = client.put("issue/DEMO-2", json={"fields": {"summary": "By hand"}})
    with sandbox_on(tmp_path / "site.db") as (second, client):
        summary = client.get("issue/DEMO-2").json()["fields"]["summary"]

    assert edited.status_code == 204
    assert second == first
    assert summary == "By hand"


def test_a_port_taken_meanwhile_is_reported_and_another_works(tmp_path: Path) -> None:
    data = tmp_path / "site.db"
    with sandbox_on(data) as (url, _):
        port = int(url.rsplit(":", 1)[1])
    with socket.create_server(("127.0.0.1", port)):
        ended = jira_sandbox("--data", str(data))
        with sandbox_on(data, "--port=0") as (moved, _):
            pass
    with sandbox_on(data) as (afterwards, _):
        pass

    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"jira-sandbox: cannot listen on 127.0.0.1 port {port}: ")
    assert f"use this address for the site in {data}" in line
    assert afterwards == moved != url


def test_a_site_that_was_begun_with_other_tickets_is_wrong_usage(tmp_path: Path) -> None:
    data = tmp_path / "site.db"
    with sandbox_on(data):
        pass

    ended = jira_sandbox("--data", str(data), "--tickets", "6")

    assert ended.returncode == 2
    assert f"the site in {data} was made with --tickets 5, not 6" in ended.stderr


def test_two_sandboxes_cannot_share_a_file(tmp_path: Path) -> None:
    data = tmp_path / "site.db"
    with sandbox_on(data):
        ended = jira_sandbox("--data", str(data))

    assert ended.returncode == 1
    assert ended.stderr == (
        f"jira-sandbox: the site's file {data} cannot be used: another sandbox has it open\n"
    )


def test_the_time_zone_of_the_user_is_an_option() -> None:
    arguments = ["--time-zone", "Etc/GMT+3"]
    with child("--tickets=1", *arguments) as (_, url):
        me = httpx.get(f"{url}/rest/api/3/myself", auth=AUTH, trust_env=False).json()
        path = f"{url}/rest/api/3/issue/DEMO-1?fields=created"
        issue = httpx.get(path, auth=AUTH, trust_env=False).json()

    assert me["timeZone"] == "Etc/GMT+3"
    assert issue["fields"]["created"].endswith("-0300")


def test_projects_with_fields_of_every_type_are_an_option() -> None:
    with child("--tickets=1", "--all-fields") as (_, url):
        path = f"{url}/rest/api/3/issue/KIT-2?fields=customfield_10108"
        issue = httpx.get(path, auth=AUTH, trust_env=False).json()

    region = issue["fields"]["customfield_10108"]
    assert (region["value"], region["child"]["value"]) == ("Europe", "Spain")


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--time-zone", "Mars/Olympus", "this machine knows no time zone 'Mars/Olympus'"),
        ("--time-zone", "Europe", "this machine knows no time zone 'Europe'"),
        ("--latency", "nan", "nan is not a number of seconds"),
        ("--search-lag", "-1", "-1 is not a number of seconds"),
        ("--search-lag", "soon", "soon is not a number of seconds"),
        ("--port", "70000", "70000 is not in the range"),
    ],
)
def test_an_option_that_makes_no_sense_ends_with_2_and_its_name(
    option: str, value: str, words: str
) -> None:
    ended = jira_sandbox(option, value)

    assert ended.returncode == 2
    assert option in ended.stderr
    assert words in ended.stderr


def test_searches_are_behind_by_the_lag_and_reading_is_not() -> None:
    story = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "New"}
    with (
        child("--tickets=1", "--search-lag", "600") as (_, url),
        httpx.Client(base_url=f"{url}/rest/api/3/", auth=AUTH, trust_env=False) as client,
    ):
        client.post("issue", json={"fields": story})
        read = client.get("issue/DEMO-2").status_code
        count = client.post("search/approximate-count", json={"jql": "project = DEMO"}).json()

    assert (read, count) == (200, {"count": 1})


def test_an_address_that_cannot_be_printed_ends_with_1_and_the_reason() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            [*COMMAND, "--tickets=1"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=100,
            check=False,
        )

    assert ended.returncode == 1
    assert ended.stderr == "jira-sandbox: cannot write the output: No space left on device\n"


def test_wrong_usage_shows_no_control_characters_and_names_the_help() -> None:
    ended = jira_sandbox("--host", "\x1b[2Jhere", "--tickets=1")

    assert ended.returncode == 1
    assert "\x1b" not in ended.stderr
    assert jira_sandbox("--nope").stderr.endswith("\ntry 'jira-sandbox --help'\n")


def test_ctrl_c_before_it_serves_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jira_sandbox.cli.run", interrupted)
    monkeypatch.setattr(sys, "argv", ["jira-sandbox"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 130
    assert capsys.readouterr().err.endswith("jira-sandbox: interrupted\n")
