"""A connection to a cluster's server, opened and checked."""

from __future__ import annotations

import logging
import os
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import anyio
import coredis
import trio
from coredis.connection import TCPLocation, UnixDomainSocketLocation
from coredis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ConnectionError,  # noqa: A004 - coredis' own name
    RedisError,
    ResponseError,
)
from coredis.pool import ConnectionPool
from coredis.retry import NoRetryPolicy

from ticketr.cleaning import clean
from ticketr.cluster._address import ServerAddress, read_url
from ticketr.cluster._closing import ClosingSocketConnection, ClosingTcpConnection
from ticketr.cluster._embedded import open_embedded
from ticketr.cluster._errors import ClusterMisconfigured, ClusterUnavailable
from ticketr.cluster._refusals import refusal_of
from ticketr.cluster._secret import Secret, compare_fingerprint, read_secret
from ticketr.cluster._shielded import keep_open

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

logger = logging.getLogger("ticketr.cluster")
# coredis logs a traceback of each attempt to connect that fails; the error here says it in words.
logging.getLogger("coredis").addHandler(logging.NullHandler())

PATIENCE: Final = 5.0
"""Seconds until a call that has no answer counts as failed."""
URL_VARIABLE: Final = "TICKETR_CLUSTER_URL"
"""The variable that may hold the URL, so that no list of processes shows it."""
_MOST_CONNECTIONS: Final = 64
_OLDEST: Final = (7, 2)
"""Of Valkey and of Redis: functions, and how blocked streams end."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A checked connection to the server.

    Attributes:
        name: The queue's name.
        address: Where the server is; for an embedded one, its socket.
        secret: The queue's secret.
        client: The client, for calls whose answers are bytes. It repeats nothing by itself.
    """

    name: str
    address: ServerAddress
    secret: Secret
    client: coredis.Redis[bytes]


@asynccontextmanager
async def open_connection(
    url: str | None, *, name: str, secret: str | None = None, allow_plaintext: bool = False
) -> AsyncGenerator[Connection]:
    """Connect to a server, and check that it can keep jobs.

    Args:
        url: Where the server is (`ticketr.cluster._address`); ``embedded:FOLDER`` starts one. None:
            that of ``TICKETR_CLUSTER_URL``.
        name: The queue's name.
        secret: The queue's secret; None: that of ``TICKETR_CLUSTER_SECRET``.
        allow_plaintext: Whether TCP without TLS may leave this machine.

    Raises:
        ClusterMisconfigured: The URL, the secret or the server's settings are wrong.
        ClusterUnavailable: The server cannot be reached, or does not answer.

    Cancellation:
        The connection lasts until the block has been left, so that clean-up can use it.
    """
    checked = read_secret(secret)
    address = read_url(_found_url(url), allow_plaintext=allow_plaintext)
    async with AsyncExitStack() as stack:
        if address.embedded is not None:
            address = await stack.enter_async_context(open_embedded(address.embedded))
        client = await stack.enter_async_context(open_client(address))
        await _check(client, address, name, checked)
        yield Connection(name, address, checked, client)


def _found_url(given: str | None) -> str:
    """Return the URL that was given, else that of the environment.

    Raises:
        ClusterMisconfigured: No URL was given, and the environment has none.
    """
    found = os.environ.get(URL_VARIABLE, "") if given is None else given
    if not found:
        raise ClusterMisconfigured(
            "no URL of a server", f"give one, such as embedded:FOLDER, or set {URL_VARIABLE}"
        )
    return found


def make_pool(
    address: ServerAddress, *, decode_responses: bool, stream_timeout: float = PATIENCE
) -> ConnectionPool[Any]:
    """Return a pool of connections, not opened yet.

    Args:
        address: Where the server is; not that of an embedded one that was not started.
        decode_responses: Whether answers are texts, which streaq needs, or bytes.
        stream_timeout: Seconds that the server may be silent.

    Raises:
        ClusterMisconfigured: A file of TLS cannot be used.
    """
    limits: dict[str, Any] = {"stream_timeout": stream_timeout, "connect_timeout": PATIENCE}
    if address.socket:
        location: Any = UnixDomainSocketLocation(address.socket)
        kind: Any = ClosingSocketConnection
    else:
        location = TCPLocation(address.host, address.port)
        kind = ClosingTcpConnection
        limits["socket_keepalive"] = True
        if address.tls is not None:
            limits["ssl_context"] = _tls_context(address)
    return ConnectionPool(
        connection_class=kind,
        location=location,
        db=address.database,
        username=address.user or None,
        password=address.password or None,
        decode_responses=decode_responses,
        max_connections=_MOST_CONNECTIONS,
        **limits,
    )


@asynccontextmanager
async def open_client(address: ServerAddress) -> AsyncGenerator[coredis.Redis[bytes]]:
    """Open a client whose own tasks are not cancelled with the caller's scope.

    A pool that is cancelled from outside does not end, and clean-up needs the connection.

    Args:
        address: Where the server is.

    Raises:
        ClusterMisconfigured: A file of TLS cannot be used.
    """
    client: coredis.Redis[bytes] = coredis.Redis(
        connection_pool=make_pool(address, decode_responses=False), retry_policy=NoRetryPolicy()
    )
    async with keep_open(client):
        yield client


async def _check(
    client: coredis.Redis[bytes], address: ServerAddress, name: str, secret: Secret
) -> None:
    """Check the server's version, its settings and its users' secret."""
    try:
        with trio.fail_after(2 * PATIENCE):
            # CONFIG is refused by many hosted servers; INFO tells the same.
            facts = _flat(await client.info("server", "memory", "persistence"))
            _check_facts(facts, str(address))
            await compare_fingerprint(client, str(address), name, secret)
    except AuthenticationError:
        raise ClusterMisconfigured(str(address), "the user or the password is wrong") from None
    except AuthorizationError as error:
        problem = f"the user may not do what a queue needs: {clean(str(error))}"
        raise ClusterMisconfigured(str(address), problem) from None
    except ResponseError as error:
        raise ClusterUnavailable(str(address), _in_words(error, address)) from None
    except (RedisError, OSError, trio.TooSlowError) as error:
        # A cancelled attempt to connect looks like a failed one.
        await trio.lowlevel.checkpoint()  # noqa: ASYNC120 - the Cancelled is the true error
        raise ClusterUnavailable(str(address), _in_words(error, address)) from error


def _check_facts(facts: dict[str, Any], server: str) -> None:
    version = str(facts.get("valkey_version") or facts.get("redis_version") or "0")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if numbers < _OLDEST:
        raise ClusterMisconfigured(
            server, f"version {clean(version)} is too old: Valkey or Redis 7.2 is the oldest"
        )
    policy = str(facts.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        raise ClusterMisconfigured(
            server,
            f"its maxmemory-policy is {clean(policy)}, so it would drop jobs when memory is short:"
            " set it to noeviction",
        )
    if str(facts.get("aof_enabled", "1")) == "0":
        logger.warning(
            "the server %s keeps no append-only file: a restart loses the jobs of the last minutes,"
            " or all; set appendonly yes",
            server,
        )


def _flat(sections: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of all sections, however the client has sorted them."""
    flat: dict[str, Any] = {}
    for name, value in sections.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


def _tls_context(address: ServerAddress) -> ssl.SSLContext:
    files = address.tls
    assert files is not None  # asked for by a TLS address
    try:
        context = ssl.create_default_context(cafile=files.ca or None)
        if files.certificate:
            context.load_cert_chain(files.certificate, files.key or None, password="")
    except (OSError, ssl.SSLError) as error:
        names = ", ".join(filter(None, (files.ca, files.certificate, files.key)))
        problem = clean(error.strerror or str(error))
        raise ClusterMisconfigured(f"the files of TLS, {names}", problem) from None
    return context


def _in_words(error: BaseException, address: ServerAddress) -> str:
    """Return what is at the bottom of an error of the connection."""
    if refusal := refusal_of(error):
        return refusal.problem
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BaseExceptionGroup):
        return _in_words(error.exceptions[0], address)
    # coredis gives no cause if the greeting has no answer.
    is_silent = type(error) is ConnectionError and str(error).startswith("Unable to establish")
    if is_silent or isinstance(error, (trio.TooSlowError, TimeoutError)):
        # A server waits for the rest of what is no line to it.
        hint = "" if address.tls is None else ": if its port is one without TLS, write valkey://"
        return f"it gives no answer for {PATIENCE:g} s{hint}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {clean(error.verify_message)}"
    if isinstance(error, ssl.SSLError):  # its number is no errno
        return f"it does not speak TLS as expected: {clean(error.reason or str(error))}"
    if isinstance(error, anyio.EndOfStream):
        may_want_tls = address.tls is None and not address.socket
        hint = " If its port is one for TLS, write valkeys://" if may_want_tls else ""
        return f"it ends the connection without an answer: is it a Valkey server?{hint}"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return clean(str(error)) or type(error).__name__
