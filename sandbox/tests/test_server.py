"""The server and the command, run as users run them."""

from __future__ import annotations

import base64
import io
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest
import trio
import trio.testing
from free_ports import free_port
from sandbox_child import sandbox_child
from sandbox_client import demo_site
from trio.testing import MockClock

from jira_sandbox import EMAIL, TOKEN, CannotListen, create_app, run, serve
from jira_sandbox.cli import main

AUTH = (EMAIL, TOKEN)


def get(url: str, path: str) -> httpx.Response:
    return httpx.get(f"{url}/rest/api/3/{path}", auth=AUTH, trust_env=False, timeout=None)


async def test_a_served_site_answers_on_a_real_socket() -> None:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve, create_app(demo_site(150)))
        async with httpx.AsyncClient(
            base_url=f"{url}/rest/api/3/", auth=AUTH, timeout=None
        ) as client:
            info = (await client.get("serverInfo")).json()
            body = {"jql": "project = DEMO", "maxResults": 5000}
            ids = (await client.post("search/jql", json=body)).json()["issues"]
            long = "key in (" + ",".join(f"DEMO-{n}" for n in range(1, 151)) + ")"
            by_get = await client.get("search/jql", params={"jql": long})
        nursery.cancel_scope.cancel()

    assert info["baseUrl"] == url
    assert len(ids) == 150
    assert by_get.status_code == 200
    assert by_get.headers.get_list("date") == ["Wed, 01 Oct 2025 12:00:00 GMT"]


async def test_a_cancelled_server_ends_at_once_and_frees_its_port(mock_clock: MockClock) -> None:
    """The clock stands still: a server that waits for some time never ends."""
    port = free_port()
    async with trio.open_nursery() as nursery:
        start = partial(serve, create_app(demo_site(), latency=60), port=port)
        await nursery.start(start)
        idle = await trio.open_tcp_stream("127.0.0.1", port)
        waiting = await trio.open_tcp_stream("127.0.0.1", port)
        await waiting.send_all(b"GET /rest/api/3/myself HTTP/1.1\r\nhost: x\r\n\r\n")
        await trio.testing.wait_all_tasks_blocked(0.05)
        nursery.cancel_scope.cancel()

    for stream in (idle, waiting):
        with suppress(trio.BrokenResourceError):  # closed with or without a reset
            assert await stream.receive_some() == b""
        await stream.aclose()
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream("127.0.0.1", port)


async def test_a_client_that_does_not_read_cannot_hold_up_the_end(mock_clock: MockClock) -> None:
    """The clock stands still: a server that waits for some time never ends."""
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve, create_app(demo_site(5000)))
        stream = await trio.open_tcp_stream("127.0.0.1", int(url.rsplit(":", 1)[1]))
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        login = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
        path = "/rest/api/3/search/jql?jql=project=DEMO&fields=*all&maxResults=100"
        head = f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Basic {login}\r\n\r\n"
        await stream.send_all(head.encode() * 20)
        await trio.testing.wait_all_tasks_blocked(0.05)
        nursery.cancel_scope.cancel()

    await stream.aclose()


async def test_a_port_in_use_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as caught:
            await serve(create_app(demo_site(1)), port=port)
        with pytest.raises(CannotListen):
            await run(port=port, tickets=1, announce=print)

    assert str(caught.value).startswith(f"cannot listen on 127.0.0.1 port {port}: ")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_child_serves_until_a_signal_and_ends_with_0(number: signal.Signals) -> None:
    with sandbox_child(tickets=30, seed=2) as (process, url):
        body = {"jql": "project = DEMO"}
        address = f"{url}/rest/api/3/search/approximate-count"
        answer = httpx.post(address, json=body, auth=AUTH, trust_env=False, timeout=None)
        process.send_signal(number)
        _, errors = process.communicate(timeout=500)

    assert answer.json() == {"count": 30}
    assert process.returncode == 0
    assert errors == ""


def test_a_child_ends_when_its_pipe_closes_even_in_the_middle_of_an_answer() -> None:
    with (
        sandbox_child(exit_with_stdin=True, latency=1000.0) as (process, url),
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as waiting,
    ):
        waiting.sendall(b"GET /rest/api/3/myself HTTP/1.1\r\nhost: x\r\n\r\n")
        assert process.stdin is not None
        process.stdin.write("this is thrown away\n")
        process.stdin.flush()
        assert process.poll() is None
        _, errors = process.communicate(timeout=500)

    assert process.returncode == 0
    assert errors == ""


def test_without_the_option_a_child_outlives_its_pipe() -> None:
    with sandbox_child() as (process, url):
        assert process.stdin is not None
        process.stdin.close()
        assert get(url, "myself").status_code == 200
        assert process.poll() is None


@pytest.mark.parametrize("stdin", ["</dev/null", "<&-", f"<{__file__}"])
def test_an_input_that_is_no_pipe_counts_as_closed(stdin: str) -> None:
    program = (
        "import functools, jira_sandbox, trio;"
        "trio.run(functools.partial(jira_sandbox.run, tickets=1, exit_with_stdin=True,"
        " announce=print))"
    )
    result = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {stdin}', sys.executable, program],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("listening on http://127.0.0.1:")


async def test_run_can_be_cancelled() -> None:
    lines: list[str] = []

    def announce(line: str) -> None:
        lines.append(line)
        scope.cancel()

    with trio.CancelScope() as scope:
        await run(tickets=1, announce=announce)

    assert scope.cancelled_caught
    assert len(lines) == 1


@pytest.mark.parametrize(("host", "port"), [("256.0.0.1", 0), ("no such host", 0), ("", 70000)])
async def test_an_invalid_address_is_an_error_that_names_it(host: str, port: int) -> None:
    with pytest.raises(CannotListen) as caught:
        await serve(create_app(demo_site(1)), host=host, port=port)

    assert f"{host} port {port}" in str(caught.value)


async def test_the_address_is_that_of_the_socket_whatever_name_was_given() -> None:
    async with trio.open_nursery() as nursery:
        start = partial(serve, create_app(demo_site(1)), host="localhost")
        url = await nursery.start(start)
        async with httpx.AsyncClient(auth=AUTH, trust_env=False, timeout=None) as client:
            answer = (await client.get(f"{url}/rest/api/3/serverInfo")).json()
        nursery.cancel_scope.cancel()

    assert answer["baseUrl"] == url
    assert "localhost" not in url


COMMAND = [sys.executable, "-P", "-m", "jira_sandbox"]


def client_of(url: str) -> httpx.Client:
    """Return a client that waits for a process as long as that takes."""
    return httpx.Client(base_url=f"{url}/rest/api/3/", auth=AUTH, trust_env=False, timeout=None)


def jira_sandbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, to its end."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["jira-sandbox", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return subprocess.CompletedProcess(arguments, ended.value.code, out.getvalue(), err.getvalue())


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
            process.wait()


def test_faults_make_the_sandbox_hostile() -> None:
    with (
        child("--tickets=1", "--faults", "429=0.5,500=0.5,seed=2") as (_, url),
        client_of(url) as client,
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
        _, errors = process.communicate(timeout=500)

    assert (process.returncode, errors) == (0, "")


@contextmanager
def sandbox_on(data: Path, *arguments: str) -> Generator[tuple[str, httpx.Client]]:
    """Start a sandbox with its site in a file; yield it, its address and a client."""
    with (
        child("--tickets=5", f"--data={data}", *arguments) as (_, url),
        client_of(url) as client,
    ):
        yield url, client


def test_a_site_in_a_file_goes_on_where_it_was_at_the_same_address(tmp_path: Path) -> None:
    with sandbox_on(tmp_path / "site.db", f"--port={free_port()}") as (first, client):
        edited = client.put("issue/DEMO-2", json={"fields": {"summary": "By hand"}})
    with sandbox_on(tmp_path / "site.db") as (second, client):
        summary = client.get("issue/DEMO-2").json()["fields"]["summary"]

    assert edited.status_code == 204
    assert second == first
    assert summary == "By hand"


def test_a_port_taken_meanwhile_is_reported_and_another_works(tmp_path: Path) -> None:
    data, port = tmp_path / "site.db", free_port()
    with sandbox_on(data, f"--port={port}") as (url, _):
        pass
    with socket.create_server(("127.0.0.1", port)):
        ended = jira_sandbox("--data", str(data))
        with sandbox_on(data, f"--port={free_port()}") as (moved, _):
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


def test_time_zone_fields_and_lag_of_searches_are_options() -> None:
    options = ("--time-zone", "Etc/GMT+3", "--all-fields", "--search-lag", "600")
    story = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "New"}
    with (
        child("--tickets=1", *options) as (_, url),
        client_of(url) as client,
    ):
        zone = client.get("myself").json()["timeZone"]
        created = client.get("issue/DEMO-1?fields=created").json()["fields"]["created"]
        region = client.get("issue/KIT-2").json()["fields"]["customfield_10108"]
        new = client.post("issue", json={"fields": story}).json()["key"]
        read = client.get(f"issue/{new}").status_code
        count = client.post("search/approximate-count", json={"jql": "project = DEMO"}).json()

    assert zone == "Etc/GMT+3"
    assert created.endswith("-0300")
    assert (region["value"], region["child"]["value"]) == ("Europe", "Spain")
    assert (read, count) == (200, {"count": 1})


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


def test_an_address_that_cannot_be_printed_ends_with_1_and_the_reason() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            [*COMMAND, "--tickets=1"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=500,
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
