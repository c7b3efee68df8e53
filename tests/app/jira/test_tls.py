"""Test each transport over TLS: trusted certificates, and errors for others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio
import trio.testing
from fakes.jira_raw import (
    CERTIFICATES,
    Stream,
    authority,
    get,
    hang_up_in_body,
    mute_site,
    raw_site,
    reply,
    say,
    server_context,
)

from ticketr.app.jira import ConnectFailed, ConnectionLost
from ticketr.app.jira.errors import TlsFailed
from ticketr.app.jira.transport import HttpPackage, Request, Transport, open_transport

ME = reply({"accountId": "1", "displayName": "Mia"})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_certificate_that_the_authority_signed_is_accepted(
    package: HttpPackage, host: str
) -> None:
    async with raw_site(ME, certificate="good") as site:
        url = site.url.replace("127.0.0.1", host)
        assert b"Mia" in (await get(url, open_transport(package, verify=authority()))).body


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [("other", "not valid for"), ("expired", "expired"), ("alone", "self-signed")],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    package: HttpPackage, certificate: str, reason: str
) -> None:
    async with raw_site(ME, certificate=certificate) as site:
        with pytest.raises(TlsFailed) as caught:
            await get(site.url, open_transport(package, verify=authority()))
        assert site.requests == 0
    assert reason in caught.value.reason.replace("self signed", "self-signed")
    assert site.url in str(caught.value)


async def test_the_authority_of_the_environment_is_believed(
    package: HttpPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "ca.pem"))
    async with raw_site(ME, certificate="good") as site:
        assert b"Mia" in (await get(site.url, open_transport(package))).body


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_certificates_that_cannot_be_read_are_reported_and_needed_by_https_alone(
    package: HttpPackage, content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "company.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    async with raw_site(ME) as site:
        assert b"Mia" in (await get(site.url, open_transport(package))).body
    with pytest.raises(TlsFailed, match="no certificates in") as caught:
        await get("https://127.0.0.1:1/", open_transport(package))
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
            await get(url, open_transport(package))
        nursery.cancel_scope.cancel()
    words = "does not speak TLS): check the address and its port ("
    assert (words in str(caught.value)) == (handshake is plain)


async def test_silence_in_the_handshake_is_bounded_as_connecting_is(package: HttpPackage) -> None:
    async with mute_site() as site, open_transport(package, connect_within=0.2) as transport:
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
        open_transport(package, verify=authority()) as transport,
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
                await get(site.url, open_transport(package, verify=authority()))


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
        transport = await open_transport("asks", verify=authority()).__aenter__()
        url = f"https://127.0.0.1:{listener.socket.getsockname()[1]}/"
        nursery.start_soon(asking, transport, url)
        await trio.testing.wait_all_tasks_blocked()
        await transport.__aexit__(None, None, None)
        proceed.set()
        with trio.fail_after(20):
            await gone.wait()
        nursery.cancel_scope.cancel()
