"""Connections on real sockets, with TLS and without: which break, and which are reused."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio
import trio.testing
from fakes.jira_raw import (
    CERTIFICATES,
    Answer,
    RawSite,
    Stream,
    authority,
    deaf_site,
    get,
    half_body,
    half_head,
    hang_up,
    hang_up_in_body,
    mute_site,
    raw_site,
    reply,
    reset,
    say,
    server_context,
    silence,
)
from trio.testing import MockClock

from ticketr.app.jira import BadAnswer, Credentials, open_jira
from ticketr.app.jira.errors import ConnectFailed, ConnectionLost, NoAnswer, TlsFailed
from ticketr.app.jira.retry import NEVER_ANSWERED_TRIES, RetryPolicy
from ticketr.app.jira.transport import HttpPackage, Request, Transport, make_transport

ME = reply({"accountId": "1", "displayName": "Mia"})
NOW = RetryPolicy(chance=lambda: 0.0)


def account(url: str) -> Credentials:
    return Credentials(url, "mia@example.com", "a-token")


async def test_the_rest_of_a_large_body_is_not_waited_for(package: HttpPackage) -> None:
    async def endless(stream: Stream) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"0" * 2000)
        await stream.receive_some(1)

    async with raw_site(endless) as site, make_transport(package, max_body_bytes=1000) as transport:
        with pytest.raises(BadAnswer, match="more than"), trio.fail_after(10):
            await transport.send(Request("GET", site.url))
        with trio.fail_after(10):
            await site.connections[0].closed.wait()


@pytest.mark.parametrize("silent", [silence, half_head, half_body])
async def test_silence_ends_after_its_bound_and_closes_the_connection(
    package: HttpPackage, silent: Answer
) -> None:
    async with raw_site(silent) as site, make_transport(package, silence_timeout=0.2) as transport:
        with pytest.raises(NoAnswer) as caught, trio.fail_after(10):
            await transport.send(Request("GET", site.url))
        assert caught.value.seconds == 0.2
        with trio.fail_after(10):
            await site.connections[0].closed.wait()


async def test_a_slow_answer_is_waited_for_as_long_as_it_comes(
    package: HttpPackage, mock_clock: MockClock
) -> None:
    async def slow(stream: Stream) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        for _ in range(5):
            await trio.testing.wait_all_tasks_blocked(0.02)  # the client has read what was sent
            mock_clock.jump(0.2)  # the clock stands still else, so no slow machine matters
            await stream.send_all(b"x")

    async with raw_site(slow) as site:
        response = await get(site.url, make_transport(package, silence_timeout=0.5))
    assert response.body == b"xxxxx"


async def test_an_answer_that_drips_has_a_bound_on_the_whole(package: HttpPackage) -> None:
    async def dripping(stream: Stream) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            await stream.send_all(b" ")
            await trio.sleep(0.02)

    async with raw_site(dripping) as site:
        transport = make_transport(package, silence_timeout=5.0, total_timeout=0.3)
        with pytest.raises(NoAnswer, match="did not finish") as caught, trio.fail_after(4):
            await get(site.url, transport)
        assert caught.value.seconds == 0.3
        with trio.fail_after(10):
            await site.connections[0].closed.wait()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (hang_up, ""),
        (hang_up_in_body, "without sending complete message body"),
        (reset, "connection closed"),
        (say(b"SSH-2.0-OpenSSH_9.6\r\n"), ""),
        (say(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "illegal status line"),
        (say(b"HTTP/1.1 200 OK\r\nAuthorization Basic secret\r\n\r\n"), "illegal header line"),
    ],
)
async def test_a_broken_connection_is_reported_as_one(
    package: HttpPackage, broken: Answer, reason: str
) -> None:
    async with raw_site(broken) as site:
        with pytest.raises(
            ConnectionLost, match=rf"broke off while answering .*\({site.url}"
        ) as caught:
            await get(site.url, make_transport(package))
    assert reason in caught.value.reason
    assert "secret" not in str(caught.value)
    assert "state" not in str(caught.value)


async def test_a_request_is_sent_once_however_its_connection_breaks(package: HttpPackage) -> None:
    for broken in (hang_up, reset, hang_up_in_body):
        async with raw_site(ME, broken, ME) as site, make_transport(package) as transport:
            await transport.send(Request("GET", site.url))
            with pytest.raises(ConnectionLost), trio.fail_after(10):
                await transport.send(Request("POST", site.url, {}, b"{}"))
            assert site.requests == 2


@pytest.mark.parametrize(
    "last",
    [
        reply(b"{}", headers=("Connection: close",)),
        reply(b"{}", headers=("Connection: x, Close",)),
        say(b"HTTP/1.1 200 OK\r\n\r\n{}"),
        say(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    ],
    ids=["close", "close among others", "until closed", "1.0"],
)
async def test_a_connection_with_an_end_is_not_used_again(
    package: HttpPackage, last: Answer
) -> None:
    async with raw_site(last, ME) as site, make_transport(package) as transport:
        with trio.fail_after(10):
            assert (await transport.send(Request("GET", site.url))).body == b"{}"
            assert b"Mia" in (await transport.send(Request("POST", site.url, {}, b"{}"))).body
        assert [len(connection.requests) for connection in site.connections] == [1, 1]


SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def test_data_on_an_idle_connection_is_no_answer_to_the_next_request(
    package: HttpPackage,
) -> None:
    answered, said = trio.Event(), trio.Event()

    async def more(stream: Stream) -> None:
        await stream.send_all(SHORT)
        await answered.wait()
        await stream.send_all(SHORT)
        said.set()

    async with raw_site(more, ME) as site, make_transport(package) as transport:
        assert (await transport.send(Request("GET", site.url))).body == b"{}"
        answered.set()
        await said.wait()
        await trio.sleep(0.02)  # real sockets: the request must arrive
        assert b"Mia" in (await transport.send(Request("GET", site.url))).body


async def test_data_after_an_answer_is_no_answer_to_the_next_request_with_asks() -> None:
    # httpcore treats it as an answer, and does not show it before.
    async def two(stream: Stream) -> None:
        await stream.send_all(SHORT + SHORT)

    async with raw_site(two, ME) as site, make_transport("asks") as transport:
        assert (await transport.send(Request("GET", site.url))).body == b"{}"
        assert b"Mia" in (await transport.send(Request("GET", site.url))).body
        assert [len(connection.requests) for connection in site.connections] == [1, 1]


async def test_asks_keeps_an_idle_connection_for_a_short_time_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ticketr.app.jira.transport._asks.KEEP_IDLE_SECONDS", 0.01)
    async with raw_site(ME) as site, make_transport("asks") as transport:
        for count in (1, 2, 3):
            await transport.send(Request("GET", site.url))
            assert len(site.connections) == count
            await trio.sleep(0.02)


async def test_a_closed_transport_sends_nothing(package: HttpPackage) -> None:
    async with raw_site(ME) as site:
        transport = make_transport(package)
        async with transport:
            await transport.send(Request("GET", site.url))
        with pytest.raises(ConnectionLost):
            await transport.send(Request("GET", site.url))
        assert site.requests == 1
        with trio.fail_after(20):
            await site.wait_until_left()


async def test_a_connection_that_was_closed_while_idle_is_not_used_again(
    package: HttpPackage,
) -> None:
    async def once(stream: Stream) -> None:
        await ME(stream)
        await stream.aclose()

    async with raw_site(once) as site, make_transport(package) as transport:
        with trio.fail_after(10):
            for count in (1, 2, 3):
                await transport.send(Request("POST", site.url, {}, b"{}"))
                await site.connections[-1].closed.wait()
                await trio.sleep(0.02)  # real sockets: the close must arrive
                assert len(site.connections) == count


async def test_an_early_refusal_of_a_large_request_is_heard(package: HttpPackage) -> None:
    async def refuse(stream: Stream) -> None:
        await stream.send_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await trio.sleep(0.1)

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        await nursery.start(trio.serve_listeners, refuse, [listener])
        async with make_transport(package) as transport:
            with trio.fail_after(10):
                answer = await transport.send(Request("POST", url, {}, b"x" * 20_000_000))
        assert answer.status == 413
        nursery.cancel_scope.cancel()


async def test_a_broken_connection_is_tried_again_a_few_times(package: HttpPackage) -> None:
    async with raw_site(hang_up) as site:
        transport = make_transport(package)
        async with open_jira(account(site.url), transport=transport, retry=NOW) as jira:
            with pytest.raises(ConnectionLost):
                await jira.myself()
        assert site.requests == NEVER_ANSWERED_TRIES


async def test_a_broken_connection_of_a_known_site_is_tried_again_more_often(
    package: HttpPackage,
) -> None:
    site: RawSite
    async with raw_site(ME, hang_up, reset, hang_up_in_body, hang_up, ME) as site:
        transport = make_transport(package)
        async with open_jira(account(site.url), transport=transport, retry=NOW) as jira:
            await jira.myself()
            assert (await jira.myself()).account_id == "1"
        assert site.requests == 6


async def test_a_refused_connection_is_reported_soon_with_the_host(package: HttpPackage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectFailed, match="Connection refused") as caught:
            await get(url, make_transport(package))
    assert caught.value.host == url.removeprefix("http://")
    assert url in str(caught.value)


async def test_a_connection_that_is_never_made_is_bounded(package: HttpPackage) -> None:
    async with deaf_site() as url:
        with pytest.raises(ConnectFailed, match="no answer to connecting"):
            await get(url, make_transport(package, connect_timeout=0.2))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_certificate_that_the_authority_signed_is_accepted(
    package: HttpPackage, host: str
) -> None:
    async with raw_site(ME, certificate="good") as site:
        url = site.url.replace("127.0.0.1", host)
        assert b"Mia" in (await get(url, make_transport(package, verify=authority()))).body


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [("other", "not valid for"), ("expired", "expired"), ("alone", "self-signed")],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    package: HttpPackage, certificate: str, reason: str
) -> None:
    async with raw_site(ME, certificate=certificate) as site:
        with pytest.raises(TlsFailed) as caught:
            await get(site.url, make_transport(package, verify=authority()))
        assert site.requests == 0
    assert reason in caught.value.reason.replace("self signed", "self-signed")
    assert site.url in str(caught.value)


async def test_an_unknown_authority_is_refused_by_default(package: HttpPackage) -> None:
    async with raw_site(ME, certificate="good") as site:
        transport = make_transport(package)
        account = Credentials(site.url, "mia@example.com", "a-token")
        async with open_jira(account, transport=transport) as jira:
            with pytest.raises(TlsFailed, match="certificate") as caught, trio.fail_after(10):
                await jira.myself()
    assert "SSL_CERT_FILE" in str(caught.value)


async def test_the_authority_of_the_environment_is_believed(
    package: HttpPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "ca.pem"))
    async with raw_site(ME, certificate="good") as site:
        assert b"Mia" in (await get(site.url, make_transport(package))).body


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_certificates_that_cannot_be_read_are_reported_and_needed_by_https_alone(
    package: HttpPackage, content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "company.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    async with raw_site(ME) as site:
        assert b"Mia" in (await get(site.url, make_transport(package))).body
    with pytest.raises(TlsFailed, match="no certificates in") as caught:
        await get("https://127.0.0.1:1/", make_transport(package))
    assert str(path) in str(caught.value)


async def plain(stream: trio.SocketStream) -> None:
    await stream.receive_some(65536)
    await say(b"HTTP/1.1 400 Bad Request\r\n\r\n")(stream)


async def leave(stream: trio.SocketStream) -> None:
    await stream.receive_some(65536)
    await stream.aclose()


@pytest.mark.parametrize("handshake", [plain, leave])
async def test_a_site_that_speaks_no_tls_is_reported(
    package: HttpPackage, handshake: Callable[[trio.SocketStream], Awaitable[None]]
) -> None:
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(trio.serve_listeners, handshake, [listener])
        url = f"https://127.0.0.1:{listener.socket.getsockname()[1]}/"
        with pytest.raises(TlsFailed, match="no secure connection") as caught:
            await get(url, make_transport(package))
        nursery.cancel_scope.cancel()
    words = "does not speak TLS): check the address and its port ("
    assert (words in str(caught.value)) == (handshake is plain)


async def test_silence_in_the_handshake_is_bounded_as_connecting_is(package: HttpPackage) -> None:
    async with mute_site() as site, make_transport(package, connect_timeout=0.2) as transport:
        site.reads.set()
        with pytest.raises(ConnectFailed, match="no answer to connecting"), trio.fail_after(10):
            await transport.send(Request("GET", f"https://127.0.0.1:{site.port}/"))
        with trio.fail_after(10):
            await site.closed.wait()


async def test_a_secure_connection_that_was_closed_while_idle_is_not_used_again(
    package: HttpPackage,
) -> None:
    async def once(stream: Stream) -> None:
        await ME(stream)
        await stream.aclose()

    async with (
        raw_site(once, certificate="good") as site,
        make_transport(package, verify=authority()) as transport,
    ):
        for count in (1, 2, 3):
            with trio.fail_after(10):
                await transport.send(Request("POST", site.url, {}, b"{}"))
                await site.connections[-1].closed.wait()
            await trio.sleep(0.02)  # real sockets: the close must arrive
            assert len(site.connections) == count


async def test_a_broken_tls_connection_is_reported_as_one(package: HttpPackage) -> None:
    async def cut(stream: Stream) -> None:
        await stream.send_all(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"issues": [')
        assert isinstance(stream, trio.SSLStream)
        await trio.aclose_forcefully(stream.transport_stream)

    for broken in (hang_up_in_body, cut):
        async with raw_site(broken, certificate="good") as site:
            with pytest.raises(ConnectionLost):
                await get(site.url, make_transport(package, verify=authority()))


async def test_a_connection_that_asks_makes_once_it_is_closed_is_closed_too() -> None:
    context = server_context("good")
    gone = trio.Event()
    proceed = trio.Event()

    async def late(stream: trio.SocketStream) -> None:
        await proceed.wait()
        secure = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        await secure.do_handshake()
        with suppress(trio.BrokenResourceError):
            await secure.receive_some(1)
        gone.set()

    async def asking(transport: Transport, url: str) -> None:
        with pytest.raises(ConnectionLost):
            await transport.send(Request("GET", url))

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(trio.serve_listeners, late, [listener])
        transport = await make_transport("asks", verify=authority()).__aenter__()
        url = f"https://127.0.0.1:{listener.socket.getsockname()[1]}/"
        nursery.start_soon(asking, transport, url)
        await trio.testing.wait_all_tasks_blocked()
        await transport.__aexit__(None, None, None)
        proceed.set()
        with trio.fail_after(20):
            await gone.wait()
        nursery.cancel_scope.cancel()
