"""Where a cluster's server is: a URL becomes a frozen record. Pure.

The forms of a URL::

    valkey://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]
    valkeys://...?ca=FILE&cert=FILE&key=FILE     the same by TLS; each file is optional
    unix://[USER[:PASSWORD]@]/PATH[?db=DATABASE]
    embedded:FOLDER                              a server of ticketr's own, below this folder

``redis`` and ``rediss`` mean the same as ``valkey`` and ``valkeys``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ticketr.cluster._errors import ClusterMisconfigured
from ticketr.jira.credentials import is_loopback

_TCP: Final = {"valkey": "valkey", "redis": "valkey", "valkeys": "valkeys", "rediss": "valkeys"}
_PORT: Final = 6379
_FORMS: Final = (
    "write valkey://HOST:PORT/DATABASE, valkeys:// for TLS, unix:///PATH, or embedded:FOLDER"
)
_LONGEST_SOCKET_PATH: Final = 107 if sys.platform == "linux" else 103
"""Bytes: what the kernel has room for, less the byte that ends it."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files of a TLS connection, all PEM.

    Attributes:
        ca: The certificates that the server's has to be signed by; empty: the system's.
        certificate: The client's own certificate; empty: none.
        key: The key of the client's certificate; empty: the certificate's file has it, too.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """How to reach a server.

    The password is in no repr, and in no error.

    Attributes:
        host: The host's name or address; empty for a socket file.
        port: The port; 0 for a socket file.
        socket: The path of the socket file; empty for TCP.
        database: The number of the database.
        user: The ACL user; empty: the default user.
        password: The password; empty: none.
        tls: The files of TLS; None: no TLS.
        embedded: The folder of an embedded server; None for a server that runs by itself.
    """

    host: str = ""
    port: int = 0
    socket: str = ""
    database: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    tls: TlsFiles | None = None
    embedded: Path | None = None

    def __str__(self) -> str:
        """Return the address as a URL without a password."""
        if self.embedded is not None:
            return f"embedded:{self.embedded}"
        user = f"{self.user}@" if self.user else ""
        if self.socket:
            return f"unix://{user}{self.socket}?db={self.database}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "valkeys" if self.tls is not None else "valkey"
        return f"{scheme}://{user}{host}:{self.port}/{self.database}"


def read_url(url: str, *, allow_plaintext: bool = False) -> ServerAddress:
    """Return the address that a URL stands for.

    Args:
        url: One of the forms above.
        allow_plaintext: Whether TCP without TLS may leave this machine.

    Raises:
        ClusterMisconfigured: It has no such form, or is TCP without TLS to another machine. The
            message holds no password.
    """
    scheme, colon, rest = url.partition(":")
    scheme = scheme.lower()
    if scheme == "embedded" and colon:
        return _embedded(rest)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ClusterMisconfigured("the server's URL", f"it is malformed: {_FORMS}") from None
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ClusterMisconfigured("the server's URL", f"it holds a space: {_FORMS}")
    if scheme == "unix" and not parts.hostname and parts.path not in ("", "/"):
        return _socket(parts)
    if scheme not in _TCP or not parts.hostname:
        raise ClusterMisconfigured("the server's URL", f"it has another form: {_FORMS}")
    return _tcp(parts, _TCP[scheme], port, allow_plaintext=allow_plaintext)


def socket_address(path: Path, embedded: Path | None = None) -> ServerAddress:
    """Return the address of a socket file.

    Args:
        path: The file.
        embedded: The folder of the embedded server that listens on it.

    Raises:
        ClusterMisconfigured: The path is longer than the system allows.
    """
    length = len(bytes(path))
    if length > _LONGEST_SOCKET_PATH:
        raise ClusterMisconfigured(
            str(path),
            f"the path of a socket has at most {_LONGEST_SOCKET_PATH} bytes, and this one has"
            f" {length}: choose a folder with a shorter path",
        )
    return ServerAddress(socket=str(path), embedded=embedded)


def _embedded(rest: str) -> ServerAddress:
    if not rest or "\0" in rest:
        raise ClusterMisconfigured("the server's URL", "no folder follows embedded:")
    folder = Path(rest).expanduser().absolute()
    return ServerAddress(embedded=folder)


def _socket(parts: SplitResult) -> ServerAddress:
    query = _query(parts, {"db"})
    user, password = _login(parts)
    path = unquote(parts.path)
    checked = socket_address(Path(path))
    database = _number(query.get("db", "0"))
    return ServerAddress(socket=checked.socket, database=database, user=user, password=password)


def _tcp(
    parts: SplitResult, scheme: str, port: int | None, *, allow_plaintext: bool
) -> ServerAddress:
    query = _query(parts, {"ca", "cert", "key"} if scheme == "valkeys" else set())
    user, password = _login(parts)
    tls = None
    if scheme == "valkeys":
        tls = TlsFiles(query.get("ca", ""), query.get("cert", ""), query.get("key", ""))
        if tls.key and not tls.certificate:
            raise ClusterMisconfigured("the server's URL", "key= needs cert= beside it")
    host = parts.hostname or ""
    address = ServerAddress(
        host=host,
        port=_PORT if port is None else port,
        database=_number(parts.path.strip("/") or "0"),
        user=user,
        password=password,
        tls=tls,
    )
    if tls is None and not allow_plaintext and not is_loopback(host):
        raise ClusterMisconfigured(
            str(address),
            "without TLS, everybody on the way can read and change the jobs: use valkeys://, or"
            " allow plain text where the network itself is protected (allow_plaintext=True,"
            " --allow-plaintext)",
        )
    return address


def _login(parts: SplitResult) -> tuple[str, str]:
    return unquote(parts.username or ""), unquote(parts.password or "")


def _query(parts: SplitResult, known: set[str]) -> dict[str, str]:
    if parts.fragment:
        raise ClusterMisconfigured("the server's URL", "write # in a password as %23")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(query.keys() - known)
    if unknown:
        takes = ", ".join(sorted(known)) or "none"
        raise ClusterMisconfigured(
            "the server's URL", f"it has an unknown setting {unknown[0]!r}; it takes {takes}"
        )
    return query


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 4:
        raise ClusterMisconfigured("the server's URL", "the database is a number, such as /0")
    return int(text)
