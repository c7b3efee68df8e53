"""The transport on real sockets: what it makes of servers that misbehave."""

from __future__ import annotations

import gzip
import socket
import ssl
import traceback
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
from fakes.jira_raw import (
    Answer,
    RawSite,
    deaf_site,
    half_body,
    half_head,
    hang_up,
    hang_up_in_body,
    raw_site,
    reply,
    reset,
    say,
    silence,
)

from ticketr.jira import (
    BadAnswer,
    ConnectFailed,
    ConnectionLost,
    Credentials,
    JiraError,
    NoAnswer,
    RetryRule,
    TlsFailed,
    open_jira,
)
from ticketr.jira.transport import Request, Response
from ticketr.jira.transport._httpx import HttpxTransport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

TLS = Path(__file__).parent.parent / "fakes" / "jira_tls"
ME = reply({"accountId": "1", "displayName": "Mia"})
NOW = RetryRule(first=0.0, quick_wait=0.0)


def account(url: str) -> Credentials:
    return Credentials(url, "mia@example.com", "a-token")


async def get(url: str, transport: HttpxTransport | None = None) -> Response:
    async with transport or HttpxTransport() as opened:
        with trio.fail_after(10):
            return await opened.send(Request("GET", url))


async def test_an_answer_is_given_whole() -> None:
    answer = reply(b"{}", status=201, headers=("X-Two: a", "X-Two: b"))
    async with raw_site(answer) as site:
        response = await get(f"{site.url}/x?y=1")
    assert (response.status, response.body, response.url) == (201, b"{}", f"{site.url}/x?y=1")
    assert response.headers["x-two"] == "a, b"
    assert site.connections[0].requests[0].startswith(b"GET /x?y=1 HTTP/1.1\r\n")


@pytest.mark.parametrize("encoding", ["gzip", "X-Gzip"])
async def test_a_compressed_answer_is_decompressed(encoding: str) -> None:
    answer = reply(gzip.compress(b"hello" * 1000), headers=(f"Content-Encoding: {encoding}",))
    async with raw_site(answer) as site:
        assert (await get(site.url)).body == b"hello" * 1000
    assert b"accept-encoding: gzip\r\n" in site.connections[0].requests[0].lower()


@pytest.mark.parametrize(
    ("body", "encoding", "problem"),
    [
        (gzip.compress(b"0" * 5_000_000), "gzip", "more than 1000 bytes"),
        (gzip.compress(b"hello" * 100)[:-12], "gzip", "ends in the middle"),
        (b"no compression at all", "gzip", "compression is broken"),
        (b"whatever", "br", "not asked for"),
        (b"0" * 2_000_000, "identity", "more than 1000 bytes"),
    ],
    ids=["bomb", "cut", "broken", "unknown", "large"],
)
async def test_a_body_that_is_no_good_is_refused_and_its_connection_closed(
    body: bytes, encoding: str, problem: str
) -> None:
    answer = reply(body, headers=(f"Content-Encoding: {encoding}",))
    async with raw_site(answer) as site, HttpxTransport(largest_body=1000) as transport:
        with pytest.raises(BadAnswer, match=problem), trio.fail_after(10):
            await transport.send(Request("GET", site.url))


async def test_the_rest_of_a_large_body_is_not_waited_for() -> None:
    async def endless(stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"0" * 2000)
        await stream.receive_some(1)

    async with raw_site(endless) as site, HttpxTransport(largest_body=1000) as transport:
        with pytest.raises(BadAnswer, match="more than"), trio.fail_after(10):
            await transport.send(Request("GET", site.url))
        with trio.fail_after(10):
            await site.connections[0].closed.wait()


@pytest.mark.parametrize("silent", [silence, half_head, half_body])
async def test_silence_ends_after_its_bound_and_closes_the_connection(silent: Answer) -> None:
    async with raw_site(silent) as site, HttpxTransport(answer_within=0.2) as transport:
        with pytest.raises(NoAnswer) as caught, trio.fail_after(10):
            await transport.send(Request("GET", site.url))
        assert caught.value.seconds == 0.2
        with trio.fail_after(10):
            await site.connections[0].closed.wait()


async def test_a_slow_answer_is_waited_for_as_long_as_it_comes() -> None:
    async def slow(stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        for _ in range(5):
            await trio.sleep(0.2)
            await stream.send_all(b"x")

    async with raw_site(slow) as site:
        assert (await get(site.url, HttpxTransport(answer_within=0.5))).body == b"xxxxx"


@pytest.mark.parametrize(
    "broken", [hang_up, hang_up_in_body, reset, say(b"SSH-2.0-OpenSSH_9.6\r\n")]
)
async def test_a_broken_connection_is_told_as_one(broken: Answer) -> None:
    async with raw_site(broken) as site:
        with pytest.raises(ConnectionLost, match=r"broke off while answering http://127\.0\.0\.1"):
            await get(site.url)


async def test_a_broken_connection_is_tried_again_a_few_times() -> None:
    async with raw_site(hang_up) as site, open_jira(account(site.url), retry=NOW) as jira:
        with pytest.raises(ConnectionLost):
            await jira.myself()
        assert site.requests == NOW.quick_tries


async def test_a_broken_connection_of_a_known_site_is_tried_again_more_often() -> None:
    site: RawSite
    async with raw_site(ME, hang_up, reset, hang_up_in_body, hang_up, ME) as site:
        async with open_jira(account(site.url), retry=NOW) as jira:
            await jira.myself()
            assert (await jira.myself()).account_id == "1"
        assert site.requests == 6


async def test_nobody_there_is_told_with_the_host_and_soon() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with open_jira(account(url)) as jira:
            with pytest.raises(ConnectFailed, match="Connection refused") as caught:
                with trio.fail_after(10):
                    await jira.myself()
    assert caught.value.host == url.removeprefix("http://")
    assert url in str(caught.value)


async def test_a_host_that_does_not_exist_is_told() -> None:
    with pytest.raises(ConnectFailed, match=r"nowhere\.invalid"):
        await get("https://nowhere.invalid/rest")


async def test_a_connection_that_is_never_made_is_bounded() -> None:
    async with deaf_site() as url:
        with pytest.raises(ConnectFailed, match="no answer to connecting"):
            await get(url, HttpxTransport(connect_within=0.2))


async def test_a_header_that_cannot_be_sent_is_not_repeated_in_the_error() -> None:
    async with raw_site(ME) as site, HttpxTransport() as transport:
        request = Request("GET", site.url, {"authorization": "Basic secret\r\nX: y"})
        with pytest.raises(JiraError) as caught, trio.fail_after(10):
            await transport.send(request)
    assert caught.value.__cause__ is None
    assert "secret" not in "".join(traceback.format_exception(caught.value))


async def test_a_url_that_cannot_be_asked_is_told() -> None:
    with pytest.raises(JiraError):
        await get("http://127.0.0.1:99999999/")


async def test_this_machine_is_never_asked_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with raw_site(ME) as site, raw_site(reply(b"the proxy")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for host in ("127.0.0.1", "localhost"):
            response = await get(site.url.replace("127.0.0.1", host))
            assert b"Mia" in response.body
        assert proxy.requests == 0


async def test_other_machines_are_asked_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with raw_site(reply(b"the proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert (await get("http://jira.example.com/x")).body == b"the proxy"


@asynccontextmanager
async def tls_site() -> AsyncGenerator[str]:
    """Listen for TLS with a certificate that only its own file vouches for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        url = f"https://127.0.0.1:{listener.socket.getsockname()[1]}"
        site = RawSite(url, (ME,))

        async def serve(stream: trio.SSLStream[trio.SocketStream]) -> None:
            await site.serve(stream)

        secure = trio.SSLListener(listener, context)
        await nursery.start(trio.serve_listeners, serve, [secure])
        yield url
        nursery.cancel_scope.cancel()


async def test_a_certificate_that_nobody_vouches_for_is_refused_at_once() -> None:
    async with tls_site() as url, open_jira(account(url)) as jira:
        with pytest.raises(TlsFailed, match="certificate") as caught, trio.fail_after(10):
            await jira.myself()
    assert url in str(caught.value)
    assert "SSL_CERT_FILE" in str(caught.value)


async def test_a_certificate_that_is_vouched_for_is_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
    async with tls_site() as url, open_jira(account(url)) as jira:
        assert (await jira.myself()).display_name == "Mia"


async def test_a_certificate_of_another_host_is_refused() -> None:
    context = ssl.create_default_context(cafile=str(TLS / "cert.pem"))
    async with tls_site() as url:
        with pytest.raises(TlsFailed, match="certificate"):
            await get(url.replace("127.0.0.1", "localhost"), HttpxTransport(verify=context))


async def test_a_site_that_speaks_no_tls_is_told() -> None:
    async def plain(stream: trio.SocketStream) -> None:
        await stream.receive_some(65536)
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(trio.serve_listeners, plain, [listener])
        with pytest.raises(TlsFailed, match="no secure connection"):
            await get(f"https://127.0.0.1:{listener.socket.getsockname()[1]}/")
        nursery.cancel_scope.cancel()
