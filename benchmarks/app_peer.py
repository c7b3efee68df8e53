"""Compare the app with PyPI's jiratui on one sandbox: start to first list, and key to frame."""

from __future__ import annotations

import os
import re
import select
import statistics
import subprocess
import sys
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sizes import size
from table import show
from terminal import on_terminal, read_for

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

TICKETS = size(10_000, toy=20)
ROUNDS = size(3, toy=1)
KEYS = size(40, toy=2)
#: jiratui 1.6.2 fails with Textual 8, which a plain install brings.
PEER = ("jiratui==1.6.2", "textual[syntax]<7")
#: Seconds that an install may take.
INSTALL = 240.0
#: Seconds without a byte after which a frame is complete: the peer marks no ends of frames.
QUIET = 0.05
#: Seconds between two keys; what an app does after a key has ended then.
REST = 0.4
#: Seconds in which a list has to be there.
START = 60.0
KEY = re.compile(rb"DEMO-\d")
DOWN = b"\x1b[B"
LOGIN = {"JIRA_API_KEY": "demo", "JIRA_EMAIL": "demo@example.com"}


@dataclass
class Found:
    """What was measured of an app, in seconds."""

    first_list: float
    keys: list[float]


def run(root: Path) -> None:
    """Measure, and show the table's rows; the peer is installed into a folder below the root."""
    peer = _installed(root / "venv")
    if peer is None:
        show("app against jiratui: skipped, since pip cannot install it here")
        return
    with _sandbox() as site:
        ours, environment = _pulled(root, site)
        theirs, settings = _configured(root, site, peer)
        pairs = [
            (
                _measured(ours, root / "work", environment, focus=b""),
                _measured(theirs, root, settings, focus=b"1"),
            )
            for _ in range(ROUNDS)
        ]
    app, other = ([pair[at] for pair in pairs] for at in (0, 1))
    what = f"app against jiratui, {TICKETS} tickets"
    show(
        f"{what}: {_start(app)} from start to list (all, from files), jiratui {_start(other)}",
        f"{what}: {_keys(app)} from key to frame, jiratui {_keys(other)}",
    )


def _start(found: Sequence[Found]) -> str:
    return f"{statistics.median(each.first_list for each in found):.2f} s"


def _keys(found: Sequence[Found]) -> str:
    keys = [key * 1e3 for each in found for key in each.keys]
    return f"{statistics.median(keys):.1f} ms median, {max(keys):.1f} ms worst"


def _installed(folder: Path) -> Path | None:
    """Install the peer into an environment of its own; return its command, None if pip fails."""
    venv.create(folder, with_pip=True)
    pip = str(folder / "bin" / "pip")
    install = [pip, "install", "--quiet", "--disable-pip-version-check", *PEER]
    try:
        subprocess.run(install, check=True, timeout=INSTALL, capture_output=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return folder / "bin" / "jiratui"


@contextmanager
def _sandbox() -> Generator[str]:
    """Serve the tickets from a process; yield its address."""
    command = [sys.executable, "-m", "ticketr", "sandbox", f"--tickets={TICKETS}", "--port=0"]
    command.append("--exit-with-stdin")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().split()[-1]
        process.terminate()


def _pulled(root: Path, site: str) -> tuple[list[str], dict[str, str]]:
    """Add a workspace and pull its tickets; return the command of the app and its environment."""
    ticketr = [sys.executable, "-m", "ticketr"]
    folder = root / "work"
    folder.mkdir()
    environment = {**LOGIN, "TICKETR_CONFIG_DIR": str(root / "config")}
    add = [*ticketr, "workspace", "add", "bench", f"--site={site}", "--project=DEMO"]
    for command in (add, [*ticketr, "pull"]):
        subprocess.run(
            command, cwd=folder, env=os.environ | environment, check=True, capture_output=True
        )
    return ticketr, environment


def _configured(root: Path, site: str, peer: Path) -> tuple[list[str], dict[str, str]]:
    """Write the peer's settings; return its command and its environment."""
    settings = root / "jiratui.yaml"
    settings.write_text(
        f"jira_api_username: {LOGIN['JIRA_EMAIL']}\n"
        f"jira_api_token: {LOGIN['JIRA_API_KEY']}\n"
        f"jira_api_base_url: {site}\n"
        "default_project_key_or_id: DEMO\n",
        encoding="utf-8",
    )
    command = [str(peer), "ui", "--project-key=DEMO", "--search-on-startup"]
    return command, {
        "JIRA_TUI_CONFIG_FILE": str(settings),
        "XDG_CONFIG_HOME": str(root),
        "XDG_STATE_HOME": str(root),
    }


def _measured(
    command: list[str], folder: Path, environment: Mapping[str, str], *, focus: bytes
) -> Found:
    """Start an app, wait for its list, and move down in it."""
    begun = time.perf_counter()
    with on_terminal(command, folder=folder, environment=environment) as (user, _):
        data = b""
        while not KEY.search(data):
            if time.perf_counter() > begun + START:
                raise TimeoutError(f"{command[0]} shows no list, but {data[-2000:]!r}")
            data += read_for(user, 0.01)
        first_list = time.perf_counter() - begun
        read_for(user, 5.0)
        if focus:
            os.write(user, focus)
        keys = []
        for _ in range(KEYS):
            read_for(user, REST)
            pressed = time.perf_counter()
            os.write(user, DOWN)
            keys.append(_last_byte(user) - pressed)
    return Found(first_list, keys)


def _last_byte(user: int) -> float:
    """Wait for a frame; return the time of its last byte."""
    last, wait = 0.0, 20.0
    while select.select([user], [], [], wait)[0]:
        os.read(user, 1 << 16)
        last, wait = time.perf_counter(), QUIET
    if not last:
        raise TimeoutError("no frame")
    return last
