"""Each transport on real sockets: what it makes of servers that misbehave."""

from __future__ import annotations

import gzip
import socket
import traceback
from typing import TYPE_CHECKING

import pytest
import trio
from fakes.jira_raw import (
    Answer,
    RawSite,
    Stream,
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
    open_jira,
)
from ticketr.jira.transport import HttpPackage, Request, Response, open_transport

if TYPE_CHECKING:
    from ticketr.jira.transport import Transport

ME = reply({"accountId": "1", "displayName": "Mia"})
NOW = RetryRule(first=0.0, quick_wait=0.0)


@pytest.fixture(params=["httpx", "asks"])
def package(request: pytest.FixtureRequest) -> HttpPackage:
    name: HttpPackage = request.param
    return name


def account(url: str) -> Credentials:
    return Credentials(url, "mia@example.com", "a-token")


async def get(url: str, transport: Transport) -> Response:
    async with transport as opened:
        with trio.fail_after(10):
            return await opened.send(Request("GET", url))


async def test_an_answer_is_given_whole(package: HttpPackage) -> None:
    answer = reply(b"{}", status=201, headers=("X-Two: a", "X-Two: b"))
    async with raw_site(answer) as site:
        response = await get(f"{site.url}/x?y=1", open_transport(package))
    assert (response.status, response.body, response.url) == (201, b"{}", f"{site.url}/x?y=1")
    assert response.headers["x-two"] == "a, b"
    assert site.connections[0].requests[0].startswith(b"GET /x?y=1 HTTP/1.1\r\n")


async def test_a_request_is_sent_whole(package: HttpPackage) -> None:
    headers = {"content-type": "application/json", "user-agent": "ticketr/1", "x-one": "1"}
    async with raw_site(ME) as site, open_transport(package) as transport:
        await transport.send(Request("PUT", f"{site.url}/x", headers, b'{"a": "\xc3\xa9"}'))
    head, _, body = site.connections[0].requests[0].partition(b"\r\n\r\n")
    lines = {line.lower() for line in head.splitlines()}
    assert body == b'{"a": "\xc3\xa9"}'
    assert head.startswith(b"PUT /x HTTP/1.1\r\n")
    assert lines >= {
        b"content-type: application/json",
        b"user-agent: ticketr/1",
        b"x-one: 1",
        b"connection: keep-alive",
        b"content-length: 11",
        b"host: " + site.url.removeprefix("http://").encode(),
    }


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb/%2E%2E/%2e%2e/c",
        "/?jql=a%20%3D%20%22b%25c%22+and%7E%C3%A9",
        "/x;y=1;z?q=a;b",
        "/50%25%zz",
        "/~a_b-c.d/(e)*!'$,@:",
    ],
)
async def test_an_address_is_sent_as_it_is_written(package: HttpPackage, target: str) -> None:
    async with raw_site(ME) as site:
        await get(f"{site.url}{target}#fragment", open_transport(package))
    assert site.connections[0].requests[0].split()[1].decode() == target


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_given_and_never_followed(package: HttpPackage, status: int) -> None:
    async with raw_site(ME) as elsewhere:
        answer = reply(b"", status=status, headers=(f"Location: {elsewhere.url}/x",))
        async with raw_site(answer) as site:
            response = await get(site.url, open_transport(package))
        assert (response.status, response.headers["location"]) == (status, f"{elsewhere.url}/x")
        assert (site.requests, elsewhere.requests) == (1, 0)


@pytest.mark.parametrize("cookie", ["a=b; Path=/", "oddity", "=;;", "caf\u00e9=1"])
async def test_a_cookie_is_no_matter(package: HttpPackage, cookie: str) -> None:
    answer = reply(b"{}", headers=(f"Set-Cookie: {cookie}", "Set-Cookie: c=d"))
    async with raw_site(answer) as site, open_transport(package) as transport:
        for _ in range(2):
            assert (await transport.send(Request("GET", site.url))).body == b"{}"
        assert b"cookie" not in b"".join(site.connections[0].requests).lower()


async def test_a_header_that_is_no_utf_8_is_taken_for_latin_1(package: HttpPackage) -> None:
    answer = say(b"HTTP/1.1 200 Caf\xe9\r\nX-One: caf\xe9\r\nContent-Length: 0\r\n\r\n")
    async with raw_site(answer) as site:
        assert (await get(site.url, open_transport(package))).headers["x-one"] == "caf\u00e9"


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil it closes", b"until it closes"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"1\r\nx\r\n" * 5000
            + b"0\r\n\r\n",
            b"x" * 5000,
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
    ],
    ids=["interim", "until closed", "1.0", "chunks", "204", "304"],
)
async def test_a_rare_form_of_answer_is_understood(
    package: HttpPackage, words: bytes, body: bytes
) -> None:
    async with raw_site(say(words)) as site:
        assert (await get(site.url, open_transport(package))).body == body


@pytest.mark.parametrize("encoding", ["gzip", "X-Gzip"])
async def test_a_compressed_answer_is_decompressed(package: HttpPackage, encoding: str) -> None:
    answer = reply(gzip.compress(b"hello" * 1000), headers=(f"Content-Encoding: {encoding}",))
    async with raw_site(answer) as site:
        assert (await get(site.url, open_transport(package))).body == b"hello" * 1000
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
async def test_a_body_that_is_no_good_is_refused(
    package: HttpPackage, body: bytes, encoding: str, problem: str
) -> None:
    answer = reply(body, headers=(f"Content-Encoding: {encoding}",))
    async with raw_site(answer) as site:
        with pytest.raises(BadAnswer, match=problem):
            await get(site.url, open_transport(package, largest_body=1000))


async def test_the_rest_of_a_large_body_is_not_waited_for(package: HttpPackage) -> None:
    async def endless(stream: Stream) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"0" * 2000)
        await stream.receive_some(1)

    async with raw_site(endless) as site, open_transport(package, largest_body=1000) as transport:
        with pytest.raises(BadAnswer, match="more than"), trio.fail_after(10):
            await transport.send(Request("GET", site.url))
        with trio.fail_after(10):
            await site.connections[0].closed.wait()


@pytest.mark.parametrize("silent", [silence, half_head, half_body])
async def test_silence_ends_after_its_bound_and_closes_the_connection(
    package: HttpPackage, silent: Answer
) -> None:
    async with raw_site(silent) as site, open_transport(package, answer_within=0.2) as transport:
        with pytest.raises(NoAnswer) as caught, trio.fail_after(10):
            await transport.send(Request("GET", site.url))
        assert caught.value.seconds == 0.2
        with trio.fail_after(10):
            await site.connections[0].closed.wait()


async def test_a_slow_answer_is_waited_for_as_long_as_it_comes(package: HttpPackage) -> None:
    async def slow(stream: Stream) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        for _ in range(5):
            await trio.sleep(0.2)
            await stream.send_all(b"x")

    async with raw_site(slow) as site:
        response = await get(site.url, open_transport(package, answer_within=0.5))
    assert response.body == b"xxxxx"


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
async def test_a_broken_connection_is_told_as_one(
    package: HttpPackage, broken: Answer, reason: str
) -> None:
    async with raw_site(broken) as site:
        with pytest.raises(ConnectionLost, match=f"broke off while answering {site.url}") as caught:
            await get(site.url, open_transport(package))
    assert reason in caught.value.reason
    assert "secret" not in str(caught.value)
    assert "state" not in str(caught.value)


async def test_a_request_is_sent_once_however_its_connection_breaks(package: HttpPackage) -> None:
    for broken in (hang_up, reset, hang_up_in_body):
        async with raw_site(ME, broken, ME) as site, open_transport(package) as transport:
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
        say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n"),
    ],
    ids=["close", "close among others", "until closed", "1.0", "more than asked for"],
)
async def test_a_connection_with_an_end_is_not_used_again(
    package: HttpPackage, last: Answer
) -> None:
    async with raw_site(last, ME) as site, open_transport(package) as transport:
        with trio.fail_after(10):
            assert (await transport.send(Request("GET", site.url))).body == b"{}"
            assert b"Mia" in (await transport.send(Request("POST", site.url, {}, b"{}"))).body
        assert [len(connection.requests) for connection in site.connections] == [1, 1]


async def test_a_connection_that_was_closed_while_idle_is_not_used_again(
    package: HttpPackage,
) -> None:
    async def once(stream: Stream) -> None:
        await ME(stream)
        await stream.aclose()

    async with raw_site(once) as site, open_transport(package) as transport:
        with trio.fail_after(10):
            for count in (1, 2, 3):
                await transport.send(Request("POST", site.url, {}, b"{}"))
                await site.connections[-1].closed.wait()
                await trio.sleep(0.02)  # real sockets: the end has to arrive
                assert len(site.connections) == count


async def test_an_early_refusal_of_a_large_request_is_heard(package: HttpPackage) -> None:
    async def refuse(stream: Stream) -> None:
        await stream.send_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await trio.sleep(0.1)

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        await nursery.start(trio.serve_listeners, refuse, [listener])
        async with open_transport(package) as transport:
            with trio.fail_after(10):
                answer = await transport.send(Request("POST", url, {}, b"x" * 20_000_000))
        assert answer.status == 413
        nursery.cancel_scope.cancel()


async def test_a_broken_connection_is_tried_again_a_few_times(package: HttpPackage) -> None:
    async with raw_site(hang_up) as site:
        transport = open_transport(package)
        async with open_jira(account(site.url), transport=transport, retry=NOW) as jira:
            with pytest.raises(ConnectionLost):
                await jira.myself()
        assert site.requests == NOW.quick_tries


async def test_a_broken_connection_of_a_known_site_is_tried_again_more_often(
    package: HttpPackage,
) -> None:
    site: RawSite
    async with raw_site(ME, hang_up, reset, hang_up_in_body, hang_up, ME) as site:
        transport = open_transport(package)
        async with open_jira(account(site.url), transport=transport, retry=NOW) as jira:
            await jira.myself()
            assert (await jira.myself()).account_id == "1"
        assert site.requests == 6


async def test_nobody_there_is_told_with_the_host_and_soon(package: HttpPackage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectFailed, match="Connection refused") as caught:
            await get(url, open_transport(package))
    assert caught.value.host == url.removeprefix("http://")
    assert url in str(caught.value)


async def test_a_host_that_does_not_exist_is_told(package: HttpPackage) -> None:
    with pytest.raises(ConnectFailed, match=r"nowhere\.invalid"):
        await get("https://nowhere.invalid/rest", open_transport(package))


async def test_a_connection_that_is_never_made_is_bounded(package: HttpPackage) -> None:
    async with deaf_site() as url:
        with pytest.raises(ConnectFailed, match="no answer to connecting"):
            await get(url, open_transport(package, connect_within=0.2))


@pytest.mark.parametrize("value", ["Basic secret\r\nX: y", "Basic secret\u00e9", "Basic secret\0"])
async def test_a_header_that_cannot_be_sent_is_not_repeated_in_the_error(
    package: HttpPackage, value: str
) -> None:
    async with raw_site(ME) as site, open_transport(package) as transport:
        with pytest.raises(JiraError) as caught, trio.fail_after(10):
            await transport.send(Request("GET", site.url, {"authorization": value}))
    assert caught.value.__cause__ is None
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999999/",
        "http://[::1/",
        "http:///x",
        "ftp://127.0.0.1/",
        f"http://{'a' * 64}.example.com/",
    ],
)
async def test_a_url_that_cannot_be_asked_is_told(package: HttpPackage, url: str) -> None:
    with pytest.raises(ConnectFailed):
        await get(url, open_transport(package))


async def test_this_machine_is_never_asked_through_a_proxy(
    package: HttpPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_site(ME) as site, raw_site(reply(b"the proxy")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for host in ("127.0.0.1", "localhost"):
            url = site.url.replace("127.0.0.1", host)
            assert b"Mia" in (await get(url, open_transport(package))).body
        assert proxy.requests == 0


async def test_other_machines_are_asked_through_the_proxy_of_the_environment_by_httpx(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with raw_site(reply(b"the proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        response = await get("http://jira.example.com/x", open_transport("httpx"))
    assert response.body == b"the proxy"
