"""Start real processes: the sandbox, and the program as users run it."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from queue import SimpleQueue

from fakes.held_sandbox import Hold

PROGRAM = [sys.executable, "-P", "-m", "ticketr"]
SANDBOX = [sys.executable, "-P", "-m", "jira_sandbox"]

#: Seconds after which a wait fails, however busy the machine is.
LONG = 300.0

#: The keys of what a push says as JSON.
PUSH_KEYS = frozenset(
    [
        "total",
        "site",
        "planned",
        "created",
        "updated",
        "recovered",
        "conflicts",
        "in_conflict",
        "left",
        "failed",
        "warnings",
    ]
)


def unmeasured() -> dict[str, str]:
    """Return this process's environment without what makes coverage measure a child.

    Measuring costs a child half a second. It finds nothing if tests run the same code in their own
    process, or if the child is killed before it saves what was measured.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@cache
def _no_config() -> str:
    """Return an empty config folder, which lasts until the process of the tests ends."""
    folder = tempfile.mkdtemp(prefix="ticketr-config-")
    atexit.register(shutil.rmtree, folder)
    return folder


@contextmanager
def piped_program(file: str) -> Generator[subprocess.Popen[bytes]]:
    """Start a Python file that reads orders from a pipe; stop it at the end of the block."""
    with subprocess.Popen(
        [sys.executable, file],
        env=unmeasured(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(LONG)


@contextmanager
def sandbox_process(
    *, tickets: int, latency: float = 0.0, arguments: Sequence[str] = ()
) -> Generator[str]:
    """Run the sandbox as a process; yield its address."""
    with mortal_sandbox(tickets=tickets, latency=latency, arguments=arguments) as (_, url):
        yield url


@contextmanager
def sandbox_thread(*, tickets: int, holds: Sequence[Hold] = ()) -> Generator[str]:
    """Serve the sandbox on a socket by a thread, which starts sooner; yield its address."""
    import trio

    from jira_sandbox import create_app, serve
    from jira_sandbox.opening import open_site

    started: SimpleQueue[tuple[str, Callable[[], None]]] = SimpleQueue()

    async def main() -> None:
        app = create_app(open_site(None, tickets=tickets))
        for hold in holds:
            hold.app, app = app, hold
        async with trio.open_nursery() as nursery:
            url = await nursery.start(serve, app)
            token = trio.lowlevel.current_trio_token()
            stop = partial(token.run_sync_soon, nursery.cancel_scope.cancel)
            started.put((url, stop))

    thread = threading.Thread(target=trio.run, args=(main,))  # noqa: TID251 - no Trio here
    thread.start()
    url, stop = started.get(timeout=LONG)
    try:
        yield url
    finally:
        stop()
        thread.join()


@contextmanager
def mortal_sandbox(
    *, tickets: int, latency: float = 0.0, arguments: Sequence[str] = ()
) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run the sandbox as a process that may be killed; yield it and its address."""
    command = [*SANDBOX, f"--tickets={tickets}", f"--latency={latency}", *arguments]
    with subprocess.Popen(
        [*command, "--exit-with-stdin"],
        env=unmeasured(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("listening on "), line
            yield process, line.removeprefix("listening on ").strip()
        finally:
            process.stdin.close()
            process.wait(LONG)


@contextmanager
def reserved_port(port: int = 0) -> Generator[int]:
    """Keep a port, by default a free one, for a sandbox; yield it.

    Nobody listens there, and the kernel gives it to no other test.
    """
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", port))
        yield reserved.getsockname()[1]


def environment(url: str = "", **changes: str) -> dict[str, str]:
    """Return an environment with no Jira settings but those given here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JIRA_")}
    settings = {
        "JIRA_URL": url,
        "JIRA_EMAIL": "demo@example.com",
        "JIRA_API_TOKEN": "demo",
        "JIRA_PROJECT_KEY": "DEMO",
        # Keep the user's own workspaces and tokens out.
        "TICKETR_CONFIG_DIR": _no_config(),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **changes,
    }
    return kept | {name: value for name, value in settings.items() if value}


def make_workspace(folder: Path) -> None:
    """Make a folder a workspace whose settings are all in the environment."""
    (folder / "ticketr.toml").touch()


def ticketr(
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    in_workspace: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, without a terminal; a pull, push or sync in a workspace."""
    if in_workspace and {"pull", "push", "sync"}.intersection(arguments):
        make_workspace(folder)
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=environment() if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
