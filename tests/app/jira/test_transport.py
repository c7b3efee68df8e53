"""Each transport on real sockets: what it sends, how it reads answers, and which is chosen."""

from __future__ import annotations

import gzip
import math
import subprocess
import sys
import traceback
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import pytest
import trio
import trio.testing
from fakes.checkpoints import count_steps
from fakes.jira_raw import Stream, get, raw_site, reply, say

from ticketr.app.jira import BadAnswer, JiraError
from ticketr.app.jira.errors import ConnectFailed, ConnectionLost
from ticketr.app.jira.transport import HttpPackage, Request, make_transport
from ticketr.app.jira.transport._exchange import (
    MAX_PACKED_BYTES_PER_STEP,
    MAX_UNPACKED_BYTES_PER_STEP,
    TimedBodyBuffer,
)
from ticketr.app.jira.transport.base import TransportLimitsAndTls

ME = reply({"accountId": "1", "displayName": "Mia"})


async def test_an_answer_is_returned_completely(package: HttpPackage) -> None:
    answer = reply(b"{}", status=201, headers=("X-Two: a", "X-Two: b"))
    async with raw_site(answer) as site:
        response = await get(f"{site.url}/x?y=1", make_transport(package))
    assert (response.status, response.body) == (201, b"{}")
    assert response.requested_url == f"{site.url}/x?y=1"
    assert response.headers["x-two"] == "a, b"
    assert site.connections[0].requests[0].startswith(b"GET /x?y=1 HTTP/1.1\r\n")


async def test_a_request_is_sent_whole(package: HttpPackage) -> None:
    headers = {"content-type": "application/json", "user-agent": "ticketr/1", "x-one": "1"}
    async with raw_site(ME) as site, make_transport(package) as transport:
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


class Portions:
    """A body of three pieces."""

    headers: Mapping[str, str] = MappingProxyType({"content-type": "text/plain"})
    body_size = 9

    async def body_pieces(self) -> AsyncIterator[bytes]:
        for piece in (b"one", b"two", b"six"):
            await trio.lowlevel.checkpoint()
            yield piece


async def test_a_body_is_sent_in_pieces(package: HttpPackage) -> None:
    headers = {**Portions.headers, "content-length": "9"}
    async with raw_site(ME) as site, make_transport(package) as transport:
        for _ in range(2):
            request = Request("POST", f"{site.url}/x", headers, source=Portions())
            assert (await transport.send(request)).status == 200
    for sent in site.connections[0].requests:
        head, _, body = sent.lower().partition(b"\r\n\r\n")
        assert body == b"onetwosix"
        assert head.count(b"content-length: 9") == 1
        assert b"transfer-encoding" not in head


async def test_a_large_body_may_take_longer(autojump_clock: trio.testing.MockClock) -> None:
    settings = TransportLimitsAndTls(silence_timeout=math.inf, total_timeout=300.0)
    start = trio.current_time()
    for request, seconds in [
        (Request("GET", "x"), 300.0),
        (Request("POST", "x", source=Portions()), 300.0009),
    ]:
        deadline = TimedBodyBuffer(request, settings).scope.deadline
        assert deadline - start == pytest.approx(seconds, 1e-9)


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
        await get(f"{site.url}{target}#fragment", make_transport(package))
    assert site.connections[0].requests[0].split()[1].decode() == target


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_returned_and_never_followed(package: HttpPackage, status: int) -> None:
    async with raw_site(ME) as elsewhere:
        answer = reply(b"", status=status, headers=(f"Location: {elsewhere.url}/x",))
        async with raw_site(answer) as site:
            response = await get(site.url, make_transport(package))
        assert (response.status, response.headers["location"]) == (status, f"{elsewhere.url}/x")
        assert (site.requests, elsewhere.requests) == (1, 0)


@pytest.mark.parametrize("cookie", ["a=b; Path=/", "oddity", "=;;", "caf\u00e9=1"])
async def test_a_cookie_is_no_matter(package: HttpPackage, cookie: str) -> None:
    answer = reply(b"{}", headers=(f"Set-Cookie: {cookie}", "Set-Cookie: c=d"))
    async with raw_site(answer) as site, make_transport(package) as transport:
        for _ in range(2):
            assert (await transport.send(Request("GET", site.url))).body == b"{}"
        assert b"cookie" not in b"".join(site.connections[0].requests).lower()


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
        assert (await get(site.url, make_transport(package))).body == body


@pytest.mark.parametrize("size", [15_000, 60_000])
async def test_a_long_head_in_pieces_is_read_up_to_what_the_package_allows(
    package: HttpPackage, size: int
) -> None:
    async def long(stream: Stream) -> None:
        await stream.send_all(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * size)
        await trio.testing.wait_all_tasks_blocked(0.01)  # the client has read that
        await stream.send_all(b"\r\nContent-Length: 2\r\n\r\n{}")

    async with raw_site(long) as site:
        if package == "asks" and size > 16 * 1024:
            with pytest.raises(ConnectionLost, match="Receive buffer too long"):
                await get(site.url, make_transport(package))
        else:
            response = await get(site.url, make_transport(package))
            assert len(response.headers["x-long"]) == size


async def test_a_repeated_header_counts_as_one_list(package: HttpPackage) -> None:
    answer = reply(
        gzip.compress(b"hello world"),
        headers=("Content-Encoding: identity", "Content-Encoding: gzip"),
    )
    async with raw_site(answer) as site:
        assert (await get(site.url, make_transport(package))).body == b"hello world"


@pytest.mark.parametrize(
    ("body", "encoding", "problem"),
    [
        (gzip.compress(b"0" * 5_000_000), "gzip", "more than 1000 bytes"),
        (gzip.compress(b"hello" * 100)[:-12], "gzip", "ends in the middle"),
        (b"no compression at all", "gzip", "compression is broken"),
        (gzip.compress(b"hello") + gzip.compress(b"world"), "gzip", "compression is broken"),
        (b"whatever", "br", "not asked for"),
        (b"0" * 2_000_000, "identity", "more than 1000 bytes"),
    ],
    ids=["bomb", "cut", "broken", "two", "unknown", "large"],
)
async def test_a_body_that_is_no_good_is_refused(
    package: HttpPackage, body: bytes, encoding: str, problem: str
) -> None:
    answer = reply(body, headers=(f"Content-Encoding: {encoding}",))
    async with raw_site(answer) as site:
        with pytest.raises(BadAnswer, match=problem):
            await get(site.url, make_transport(package, max_body_bytes=1000))


@pytest.mark.parametrize("value", ["Basic secret\r\nX: y", "Basic secret\u00e9", "Basic secret\0"])
async def test_a_header_that_cannot_be_sent_is_not_repeated_in_the_error(
    package: HttpPackage, value: str
) -> None:
    async with raw_site(ME) as site, make_transport(package) as transport:
        with pytest.raises(JiraError) as caught, trio.fail_after(10):
            await transport.send(Request("GET", site.url, {"authorization": value}))
    assert caught.value.__cause__ is None
    assert "secret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999999/", f"http://{'a' * 64}.example.com/", "http://a..b/"]
)
async def test_a_url_of_an_unknown_host_is_an_error(package: HttpPackage, url: str) -> None:
    with pytest.raises(ConnectFailed):
        await get(url, make_transport(package))


async def test_this_machine_is_never_asked_through_a_proxy(
    package: HttpPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_site(ME) as site, raw_site(reply(b"the proxy")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for host in ("127.0.0.1", "localhost"):
            url = site.url.replace("127.0.0.1", host)
            assert b"Mia" in (await get(url, make_transport(package))).body
        assert proxy.requests == 0


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_proxy_that_does_not_connect_is_named(
    is_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = say(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
    async with raw_site(refusal) as proxy:
        address = proxy.url if is_there else "http://127.0.0.1:9"
        monkeypatch.setenv("https_proxy", address.replace("//", "//mia:secret@"))
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(ConnectFailed) as caught:
            await get("https://jira.example.com/x", make_transport("httpx"))

    reason, advice = (
        ("407 Proxy Authentication Required", "the proxy asks for a name and password")
        if is_there
        else ("Connection refused", "check HTTPS_PROXY")
    )
    words = f"cannot reach jira.example.com through the proxy {address} ({reason}): {advice}"
    assert str(caught.value).startswith(words)


async def test_other_machines_are_asked_through_the_proxy_of_the_environment_by_httpx(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with raw_site(reply(b"the proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        response = await get("http://jira.example.com/x", make_transport("httpx"))
    assert response.body == b"the proxy"


URL = "https://example.com"


async def body_of(encoding: str, *pieces: bytes, largest: int = 1000) -> bytes:
    collector = TimedBodyBuffer(Request("GET", URL), TransportLimitsAndTls(max_body_bytes=largest))
    for piece in pieces:
        collector.add_piece(piece)
    return (await collector.make_unpacked_response(200, {"content-encoding": encoding})).body


async def test_a_gzip_is_joined_wherever_it_is_cut() -> None:
    whole = gzip.compress(b"hello world")
    for cut in range(len(whole)):
        assert await body_of("gzip", whole[:cut], whole[cut:]) == b"hello world"


@pytest.mark.parametrize("encoding", ["gzip, identity", "identity,X-GZIP", ", gzip"])
async def test_one_compression_in_a_list_is_undone(encoding: str) -> None:
    assert await body_of(encoding, gzip.compress(b"hello")) == b"hello"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip, br", "br", "zstd", "compress"])
async def test_a_compression_that_was_not_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(BadAnswer, match="not asked for"):
        await body_of(encoding, gzip.compress(gzip.compress(b"hello")))


async def test_a_bomb_is_never_blown_up() -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    tracemalloc.start()
    with pytest.raises(BadAnswer, match="more than 20000 bytes") as caught:
        await body_of("gzip", bomb, b"more", largest=20_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MAX_UNPACKED_BYTES_PER_STEP
    assert caught.value.too_large
    assert not caught.value.transient


async def test_no_more_than_a_portion_is_unpacked_between_two_checkpoints() -> None:
    size = 40 * MAX_UNPACKED_BYTES_PER_STEP
    packed = gzip.compress(b"0" * size)
    async with count_steps() as steps:
        unpacked = await body_of("gzip", packed, largest=size)
    assert steps.count >= 38
    assert len(unpacked) == size


async def test_a_body_that_unpacks_to_nothing_has_checkpoints_too() -> None:
    empty_blocks = b"\x00\x00\x00\xff\xff" * (2 * MAX_UNPACKED_BYTES_PER_STEP)
    packed = b"\x78\x9c" + empty_blocks + b"\x01\x00\x00\xff\xff" + b"\x00\x00\x00\x01"
    async with count_steps() as steps:
        unpacked = await body_of("deflate", packed, largest=len(packed))
    assert steps.count >= len(packed) // MAX_PACKED_BYTES_PER_STEP
    assert unpacked == b""


async def test_what_follows_a_compressed_body_is_refused_wherever_that_body_ends() -> None:
    text = bytes(
        MAX_PACKED_BYTES_PER_STEP - 11
    )  # so that the stored block fills the first piece exactly
    whole = zlib.compress(text, 0)
    assert len(whole) == MAX_PACKED_BYTES_PER_STEP
    assert await body_of("deflate", whole, largest=MAX_PACKED_BYTES_PER_STEP) == text
    with pytest.raises(BadAnswer, match="compression is broken"):
        await body_of("deflate", whole + b"more", largest=2 * MAX_PACKED_BYTES_PER_STEP)


def run(program: str, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", program],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_choosing_needs_no_package_and_loads_none() -> None:
    program = (
        "import sys; import ticketr.app.jira.transport\n"
        "print({'asks', 'anyio', 'h11', 'httpx', 'httpcore'} & set(sys.modules))"
    )
    assert run(program) == "set()\n"


def test_httpx_is_the_default_and_loads_no_asks() -> None:
    program = (
        "import sys; from ticketr.app.jira.transport import make_transport\n"
        "print(type(make_transport()).__name__, 'asks' in sys.modules)"
    )
    assert run(program) == "HttpxTransport False\n"


def test_asks_prints_nothing_when_it_is_loaded_for_the_first_time(tmp_path: Path) -> None:
    program = (
        "from ticketr.app.jira.transport import make_transport\n"
        "print(type(make_transport('asks')).__name__)"
    )
    # The compiler warns if there is no compiled file yet.
    assert run(program, "-X", f"pycache_prefix={tmp_path}") == "AsksTransport\n"


@pytest.mark.parametrize("name", get_args(HttpPackage))
async def test_each_name_returns_a_transport_that_opens_and_closes(name: HttpPackage) -> None:
    async with make_transport(name, silence_timeout=1.0):
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("missing", ["asks", "anyio", "h11"])
def test_without_its_package_asks_is_refused_with_what_to_install(missing: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from ticketr.app.jira.transport import AsksMissing, make_transport\n"
        "try: make_transport('asks')\n"
        "except AsksMissing as error: print(error)"
    )
    said = run(program)
    assert f"{missing} halted" in said
    assert "uv pip install '.[asks]'" in said
    assert "httpx" in said


def test_an_anyio_that_does_not_run_on_this_trio_is_refused_with_what_to_install() -> None:
    """This is the case of anyio 3: it can be imported, but not its Trio backend."""
    program = (
        "import sys, trio; sys.modules['anyio._backends._trio'] = None\n"
        "from ticketr.app.jira.transport import AsksMissing, make_transport\n"
        "async def main():\n"
        "    try:\n"
        "        async with make_transport('asks'): print('opened')\n"
        "    except AsksMissing as error: print(error)\n"
        "trio.run(main)"
    )
    said = run(program)
    assert f"anyio {version('anyio')} does not run on Trio {trio.__version__}" in said
    assert "uv pip install '.[asks]'" in said
