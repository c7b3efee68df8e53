from __future__ import annotations

from pathlib import Path

import pytest

from ticketr.cluster import ClusterMisconfigured
from ticketr.cluster._address import ServerAddress, TlsFiles, read_url, socket_address

LOCAL = ServerAddress(host="localhost", port=6379)


@pytest.mark.parametrize(
    ("url", "address", "shown"),
    [
        ("valkey://localhost", LOCAL, "valkey://localhost:6379/0"),
        ("redis://localhost/", LOCAL, "valkey://localhost:6379/0"),
        (
            "VALKEY://127.0.0.1:7000/3",
            ServerAddress(host="127.0.0.1", port=7000, database=3),
            "valkey://127.0.0.1:7000/3",
        ),
        (
            "valkey://[::1]:7000",
            ServerAddress(host="::1", port=7000),
            "valkey://[::1]:7000/0",
        ),
        (
            "redis://:p%40ss@localhost",
            ServerAddress(host="localhost", port=6379, password="p@ss"),
            "valkey://localhost:6379/0",
        ),
        (
            "rediss://ann:p%23@jobs.example:6380/1?ca=/a.pem&cert=/c.pem&key=/k.pem",
            ServerAddress(
                host="jobs.example",
                port=6380,
                database=1,
                user="ann",
                password="p#",
                tls=TlsFiles("/a.pem", "/c.pem", "/k.pem"),
            ),
            "valkeys://ann@jobs.example:6380/1",
        ),
        (
            "valkeys://jobs.example",
            ServerAddress(host="jobs.example", port=6379, tls=TlsFiles()),
            "valkeys://jobs.example:6379/0",
        ),
        (
            "unix://ann:pw@/run/valkey.sock?db=2",
            ServerAddress(socket="/run/valkey.sock", database=2, user="ann", password="pw"),
            "unix://ann@/run/valkey.sock?db=2",
        ),
        ("embedded:/srv/jobs", ServerAddress(embedded=Path("/srv/jobs")), "embedded:/srv/jobs"),
    ],
)
def test_a_url_becomes_an_address(url: str, address: ServerAddress, shown: str) -> None:
    assert read_url(url) == address
    assert str(read_url(url)) == shown


def test_the_folder_of_an_embedded_server_is_made_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/tmp")
    monkeypatch.setenv("HOME", "/home/ann")

    assert read_url("embedded:jobs").embedded == Path("/tmp/jobs")
    assert read_url("embedded:~/jobs").embedded == Path("/home/ann/jobs")


FORMS = "write valkey://HOST:PORT/DATABASE, valkeys:// for TLS, unix:///PATH, or embedded:FOLDER"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", f"it has another form: {FORMS}"),
        ("http://localhost", f"it has another form: {FORMS}"),
        ("localhost:6379", f"it has another form: {FORMS}"),
        ("valkey:///0", f"it has another form: {FORMS}"),
        ("unix://", f"it has another form: {FORMS}"),
        ("unix://host/path", f"it has another form: {FORMS}"),
        ("valkey://localhost:port", f"it is malformed: {FORMS}"),
        ("valkey://[::1", f"it is malformed: {FORMS}"),
        ("valkey://local host", f"it holds a space: {FORMS}"),
        ("embedded:", "no folder follows embedded:"),
        ("valkey://localhost/x", "the database is a number, such as /0"),
        ("unix:///a?db=-1", "the database is a number, such as /0"),
        ("valkey://localhost?ca=/x", "it has an unknown setting 'ca'; it takes none"),
        (
            "valkeys://localhost?cacert=x",
            "it has an unknown setting 'cacert'; it takes ca, cert, key",
        ),
        ("valkeys://localhost?key=/k", "key= needs cert= beside it"),
        ("valkey://localhost/0#1", "write # in a password as %23"),
    ],
)
def test_another_url_is_refused_with_the_forms(url: str, problem: str) -> None:
    with pytest.raises(ClusterMisconfigured) as caught:
        read_url(url)

    assert str(caught.value) == f"the server's URL: {problem}"


def test_plain_tcp_to_another_machine_has_to_be_allowed() -> None:
    url = "valkey://ann:hidden@jobs.example"

    with pytest.raises(ClusterMisconfigured) as caught:
        read_url(url)

    assert str(caught.value) == (
        "valkey://ann@jobs.example:6379/0: without TLS, everybody on the way can read and change"
        " the jobs: use valkeys://, or allow plain text where the network itself is protected"
        " (allow_plaintext=True, --allow-plaintext)"
    )
    assert read_url(url, allow_plaintext=True).host == "jobs.example"


@pytest.mark.parametrize(
    "url",
    [
        "valkey://ann:hidden@localhost:port",
        "valkey://ann:hidden@localhost/x",
        "valkey://ann:hidden@localhost?x=1",
        "valkey://ann:hidden#@localhost",
        "valkey://ann:hidden @localhost",
        "http://ann:hidden@localhost",
        "valkey://ann:hidden@jobs.example",
    ],
)
def test_no_error_and_no_repr_holds_the_password(url: str) -> None:
    with pytest.raises(ClusterMisconfigured) as caught:
        read_url(url)

    assert "hidden" not in f"{caught.value} {caught.value!r} {caught.value.args}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "hidden" not in repr(read_url("valkey://ann:hidden@localhost"))


def test_a_socket_has_a_longest_path() -> None:
    assert socket_address(Path("/" + "a" * 102)).socket == "/" + "a" * 102
    with pytest.raises(ClusterMisconfigured, match=r"at most 10\d bytes, and this one has 108"):
        socket_address(Path("/" + "é" * 53 + "a"))
    with pytest.raises(ClusterMisconfigured, match="this one has 201"):
        read_url("unix:///" + "a" * 200)
