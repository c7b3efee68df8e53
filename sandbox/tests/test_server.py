from __future__ import annotations

import base64
import pickle
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import partial

import httpx
import pytest
import trio
import trio.testing
from sandbox_child import sandbox_child
from sandbox_client import demo_site

from jira_sandbox import EMAIL, TOKEN, CannotListen, create_app, run, serve

AUTH = (EMAIL, TOKEN)


def get(url: str, path: str) -> httpx.Response:
    return httpx.get(f"{url}/rest/api/3/{path}", auth=AUTH, trust_env=False)


async def test_a_served_site_answers_on_a_real_socket() -> None:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve, create_app(demo_site(150)))
        async with httpx.AsyncClient(base_url=f"{url}/rest/api/3/", auth=AUTH) as client:
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


async def test_a_cancelled_server_ends_at_once_and_frees_its_port() -> None:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve, create_app(demo_site(), latency=60))
        port = int(url.rsplit(":", 1)[1])
        idle = await trio.open_tcp_stream("127.0.0.1", port)
        waiting = await trio.open_tcp_stream("127.0.0.1", port)
        await waiting.send_all(b"GET /rest/api/3/myself HTTP/1.1\r\nhost: x\r\n\r\n")
        await trio.testing.wait_all_tasks_blocked(0.05)
        nursery.cancel_scope.cancel()
        before = trio.current_time()

    assert trio.current_time() - before < 1
    for stream in (idle, waiting):
        with suppress(trio.BrokenResourceError):  # closed with or without a reset
            assert await stream.receive_some() == b""
        await stream.aclose()
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream("127.0.0.1", port)


async def test_a_client_that_does_not_read_cannot_hold_up_the_end() -> None:
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve, create_app(demo_site(5000)))
        stream = await trio.open_tcp_stream("127.0.0.1", int(url.rsplit(":", 1)[1]))
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        login = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
        path = "/rest/api/3/search/jql?jql=project=DEMO&fields=*all&maxResults=100"
        head = f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Basic {login}\r\n\r\n"
        await stream.send_all(head.encode() * 20)
        await trio.sleep(0.3)
        nursery.cancel_scope.cancel()
        before = trio.current_time()

    assert trio.current_time() - before < 1
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


async def test_an_error_of_the_announcement_is_not_wrapped_in_a_group() -> None:
    def announce(_line: str) -> None:
        raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        await run(tickets=1, announce=announce)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_child_serves_until_a_signal_and_ends_with_0(number: signal.Signals) -> None:
    with sandbox_child(tickets=30, seed=2) as (process, url):
        body = {"jql": "project = DEMO"}
        answer = httpx.post(
            f"{url}/rest/api/3/search/approximate-count", json=body, auth=AUTH, trust_env=False
        )
        process.send_signal(number)
        _, errors = process.communicate(timeout=100)

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
        _, errors = process.communicate(timeout=100)

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
        timeout=100,
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
        async with httpx.AsyncClient(auth=AUTH, trust_env=False) as client:
            answer = (await client.get(f"{url}/rest/api/3/serverInfo")).json()
        nursery.cancel_scope.cancel()

    assert answer["baseUrl"] == url
    assert "localhost" not in url


@pytest.mark.parametrize("latency", [-0.1, float("nan"), float("inf")])
def test_an_invalid_latency_is_refused(latency: float) -> None:
    with pytest.raises(ValueError, match="latency cannot be"):
        create_app(demo_site(1), latency=latency)
