"""Test how a connection is opened: what it checks, and what it says if that fails."""

from __future__ import annotations

import logging
import socket
import ssl
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio
from fakes.jira_raw import CERTIFICATES
from fakes.valkeys import Valkey

from ticketr.cluster import ClusterMisconfigured, ClusterUnavailable, _connection
from ticketr.cluster._address import ServerAddress
from ticketr.cluster._connection import (
    _check_facts,
    _in_words,
    make_pool,
    open_client,
    open_connection,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import coredis

SECRET = "a secret of the tests"


async def listen(nursery: trio.Nursery, handler: Callable[[Any], Awaitable[object]]) -> int:
    """Serve a free port of this machine, and return it."""
    listeners: list[trio.SocketListener] = await nursery.start(trio.serve_tcp, handler, 0)
    port: int = listeners[0].socket.getsockname()[1]
    return port


async def test_an_opened_connection_reaches_the_server(folder: Path) -> None:
    async with open_connection(f"embedded:{folder}", name="q", secret=SECRET) as connection:
        assert await connection.client.ping() == b"PONG"
        assert connection.name == "q"
        assert connection.address == ServerAddress(
            socket=str(folder / "valkey.sock"), embedded=folder
        )
        assert connection.secret.value == SECRET
        assert SECRET not in repr(connection)


async def test_the_url_may_stand_in_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKETR_CLUSTER_URL", f"embedded:{folder}")

    async with open_connection(None, name="q", secret=SECRET) as connection:
        assert connection.address.embedded == folder


async def test_a_second_process_uses_the_same_url(folder: Path) -> None:
    url = f"embedded:{folder}"
    async with (
        open_connection(url, name="q", secret=SECRET) as one,
        open_connection(url, name="q", secret=SECRET) as two,
    ):
        await one.client.set("a", "1")

        assert await two.client.get("a") == b"1"


async def test_an_acl_user_logs_in(server: coredis.Redis[bytes], folder: Path) -> None:
    await server.acl_setuser("ann", "on", ">p@ss word", "~*", "+@all")
    path = folder / "valkey.sock"

    async with open_connection(
        f"unix://ann:p%40ss%20word@{path}", name="q", secret=SECRET
    ) as connection:
        assert await connection.client.acl_whoami() == b"ann"


async def test_a_wrong_password_is_told_without_it(
    server: coredis.Redis[bytes], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await server.acl_setuser("ann", "on", ">right", "~*", "+@all")
    path = folder / "valkey.sock"

    with pytest.raises(ClusterMisconfigured) as caught:
        async with open_connection(f"unix://ann:hidden@{path}", name="q", secret=SECRET):
            pass

    assert str(caught.value) == f"unix://ann@{path}?db=0: the user or the password is wrong"
    assert "hidden" not in caplog.text


async def test_a_user_without_the_rights_is_told(
    server: coredis.Redis[bytes], folder: Path
) -> None:
    await server.acl_setuser("ann", "on", ">pw", "~*", "+@connection")

    with pytest.raises(ClusterMisconfigured, match="the user may not do what a queue needs"):
        async with open_connection(
            f"unix://ann:pw@{folder / 'valkey.sock'}", name="q", secret=SECRET
        ):
            pass


async def test_another_secret_is_noticed_at_once(folder: Path) -> None:
    url = f"embedded:{folder}"
    async with open_connection(url, name="q", secret=SECRET):
        with pytest.raises(ClusterMisconfigured) as caught:
            async with open_connection(url, name="q", secret=SECRET + "!"):
                pass
        async with open_connection(url, name="another", secret=SECRET + "!"):
            pass  # each queue has a secret of its own

    assert str(caught.value) == (
        f"embedded:{folder}: queue 'q' is used there with another secret. Give all of its"
        " processes the same one; to change it, drain the queue, stop them and delete the key"
        " ticketr:q:secret"
    )


async def test_a_server_that_may_drop_jobs_is_refused(
    server: coredis.Redis[bytes], folder: Path
) -> None:
    await server.config_set({"maxmemory-policy": "allkeys-lru"})

    with pytest.raises(ClusterMisconfigured) as caught:
        async with open_connection(f"embedded:{folder}", name="q", secret=SECRET):
            pass

    assert caught.value.problem == (
        "its maxmemory-policy is allkeys-lru, so it would drop jobs when memory is short: set it to"
        " noeviction"
    )
    assert await server.keys() == set()


async def test_a_server_without_an_append_only_file_is_warned_of(
    server: coredis.Redis[bytes], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_connection(f"embedded:{folder}", name="q", secret=SECRET):
        pass
    assert caplog.record_tuples == []
    await server.config_set({"appendonly": "no"})

    async with open_connection(f"embedded:{folder}", name="q", secret=SECRET):
        pass

    assert caplog.record_tuples == [
        (
            "ticketr.cluster",
            logging.WARNING,
            (
                f"the server embedded:{folder} keeps no append-only file: a restart loses the jobs"
                " of the last minutes, or all; set appendonly yes"
            ),
        )
    ]


@pytest.mark.parametrize("version", ["7.0.15", "6.2", "", "unstable\033[m"])
def test_an_old_server_is_refused(version: str) -> None:
    with pytest.raises(ClusterMisconfigured, match=r"Valkey or Redis 7\.2 is the oldest") as caught:
        _check_facts({"redis_version": version}, "s")

    assert "\033" not in str(caught.value)


def test_a_new_server_is_accepted() -> None:
    _check_facts({"redis_version": "7.2.4", "valkey_version": "10.0.1"}, "s")


async def test_a_server_that_is_not_there_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        with pytest.raises(ClusterUnavailable) as caught:
            async with open_connection(f"redis://127.0.0.1:{port}", name="q", secret=SECRET):
                pass

    assert str(caught.value) == (
        f"the server valkey://127.0.0.1:{port}/0 cannot be used now: Connection refused"
    )


async def say_nothing(_: trio.SocketStream) -> None:
    await trio.sleep_forever()


async def test_a_silent_server_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_connection, "PATIENCE", 0.05)
    async with trio.open_nursery() as nursery:
        port = await listen(nursery, say_nothing)
        with pytest.raises(ClusterUnavailable, match=r"no answer for 0\.05 s"):
            async with open_connection(f"redis://127.0.0.1:{port}", name="q", secret=SECRET):
                pass
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("scheme", "words"), [("redis", ""), ("rediss", "does not speak TLS")])
async def test_something_else_than_a_server_is_told(scheme: str, words: str) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some(1024)
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with trio.open_nursery() as nursery:
        port = await listen(nursery, answer)
        with pytest.raises(ClusterUnavailable, match=f"cannot be used now: .*{words}"):
            async with open_connection(f"{scheme}://127.0.0.1:{port}", name="q", secret=SECRET):
                pass
        nursery.cancel_scope.cancel()


class TlsProxy:
    """Speaks TLS in front of a server's socket."""

    def __init__(self, folder: Path, certificate: str, *, of_clients: str = "") -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(CERTIFICATES / certificate, CERTIFICATES / "key.pem")
        if of_clients:
            self.context.load_verify_locations(CERTIFICATES / of_clients)
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.path = folder / "valkey.sock"

    async def handle(self, plain: trio.SocketStream) -> None:
        stream = trio.SSLStream(plain, self.context, server_side=True, https_compatible=True)
        try:
            async with (
                stream,
                await trio.open_unix_socket(self.path) as server,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(self.copy, server, stream)
                await self.copy(stream, server)
                nursery.cancel_scope.cancel()
        except (trio.BrokenResourceError, BaseExceptionGroup):
            pass  # the client did not like the certificate

    async def copy(self, source: trio.abc.Stream, target: trio.abc.Stream) -> None:
        while data := await source.receive_some(65536):
            await target.send_all(data)


async def test_tls_with_files_of_ones_own(server: coredis.Redis[bytes], folder: Path) -> None:
    await server.set("a", "1")
    proxy = TlsProxy(folder, "good.pem", of_clients="alone.pem")
    files = f"ca={CERTIFICATES}/ca.pem&cert={CERTIFICATES}/alone.pem&key={CERTIFICATES}/key.pem"
    async with trio.open_nursery() as nursery:
        port = await listen(nursery, proxy.handle)

        async with open_connection(
            f"rediss://127.0.0.1:{port}?{files}", name="q", secret=SECRET
        ) as connection:
            assert await connection.client.get("a") == b"1"
        nursery.cancel_scope.cancel()


async def test_a_port_without_tls_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_connection, "PATIENCE", 0.05)
    server = Valkey(tmp_path / "o", "127.0.0.1")
    url = server.remote_url.replace("valkey:", "rediss:")
    words = "if its port is one without TLS, write valkey://"
    try:
        with pytest.raises(ClusterUnavailable, match=words):
            async with open_connection(url, name="q", secret=SECRET):
                pass
    finally:
        server.stop()


async def test_a_port_for_tls_is_told(server: coredis.Redis[bytes], folder: Path) -> None:
    assert await server.ping()
    async with trio.open_nursery() as nursery:
        port = await listen(nursery, TlsProxy(folder, "good.pem").handle)
        with pytest.raises(
            ClusterUnavailable, match="If its port is one for TLS, write valkeys://"
        ):
            async with open_connection(f"redis://127.0.0.1:{port}", name="q", secret=SECRET):
                pass
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ("other.pem", "IP address mismatch"),
        ("expired.pem", "certificate has expired"),
        ("alone.pem", "self-signed certificate"),
    ],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    server: coredis.Redis[bytes], folder: Path, certificate: str, words: str
) -> None:
    assert await server.ping()
    proxy = TlsProxy(folder, certificate)
    async with trio.open_nursery() as nursery:
        port = await listen(nursery, proxy.handle)
        url = f"valkeys://127.0.0.1:{port}?ca={CERTIFICATES}/ca.pem"

        with pytest.raises(ClusterUnavailable, match=f"its certificate is not valid: .*{words}"):
            async with open_connection(url, name="q", secret=SECRET):
                pass
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ("ca=/nowhere.pem", "the files of TLS, /nowhere.pem: No such file or directory"),
        ("cert=/nowhere.pem", "the files of TLS, /nowhere.pem: No such file or directory"),
    ],
)
async def test_a_missing_file_of_tls_is_told(files: str, problem: str) -> None:
    with pytest.raises(ClusterMisconfigured) as caught:
        async with open_connection(f"valkeys://127.0.0.1?{files}", name="q", secret=SECRET):
            pass

    assert str(caught.value) == problem


async def test_an_error_of_the_block_comes_out_as_it_was(folder: Path) -> None:
    error = ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        async with open_connection(f"embedded:{folder}", name="q", secret=SECRET):
            raise error

    assert caught.value is error


async def test_a_group_of_the_block_comes_out_as_it_was(folder: Path) -> None:
    group = ExceptionGroup("two", [ValueError("no"), TypeError("no")])

    with pytest.RaisesGroup(ValueError, TypeError, match="two") as caught:
        async with open_connection(f"embedded:{folder}", name="q", secret=SECRET):
            raise group

    assert caught.value.exceptions == group.exceptions


async def test_a_cancelled_block_can_still_use_the_client(folder: Path) -> None:
    said = b""
    with trio.move_on_after(60) as scope:
        async with open_connection(f"embedded:{folder}", name="q", secret=SECRET) as connection:
            scope.cancel()
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    said = await connection.client.ping()

    assert scope.cancelled_caught
    assert said == b"PONG"


async def test_a_failure_of_the_client_itself_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken:
        def __init__(self, **_: object) -> None: ...

        async def __aenter__(self) -> None: ...

        async def __aexit__(self, *_: object) -> None:
            raise RuntimeError("broken")

    monkeypatch.setattr("coredis.Redis", Broken)

    broken = pytest.RaisesExc(RuntimeError, match="broken")
    with pytest.RaisesGroup(ValueError, broken):
        async with open_client(ServerAddress(socket="/nowhere")):
            raise ValueError("no")


def test_the_words_of_an_error_are_those_at_its_bottom() -> None:
    address, outer = ServerAddress(socket="s"), RuntimeError("outer")
    outer.__cause__ = ExceptionGroup("all", [OSError(111, "Connection refused")])

    assert _in_words(outer, address) == "Connection refused"
    assert _in_words(TimeoutError(), address) == "it gives no answer for 5 s"
    assert _in_words(RuntimeError("\033[31mred"), address) == "red"
    assert _in_words(EOFError(), address) == "EOFError"
    assert _in_words(anyio.EndOfStream(), address).endswith("Valkey server?")


def test_a_pool_takes_the_whole_address() -> None:
    address = ServerAddress(host="localhost", port=7, database=3, user="ann", password="pw")

    pool = make_pool(address, decode_responses=True, stream_timeout=9)

    assert repr(pool.location) == "localhost:7"
    facts = pool.connection_kwargs
    assert (facts["db"], facts["username"], facts["password"]) == (3, "ann", "pw")
    assert facts["stream_timeout"] == 9
    assert facts["decode_responses"]
