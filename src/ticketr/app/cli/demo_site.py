"""The workspace of a demo, and the Jira stand-in that it belongs to."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.app.cli.ownership import own_mark
from ticketr.app.cli.sandbox_process import open_sandbox
from ticketr.app.config import STATE_FOLDER
from ticketr.app.jira import Credentials
from ticketr.app.sync import Store

if TYPE_CHECKING:
    from ticketr.app.sync import SessionOptions

#: The file that keeps the demo's Jira, in ticketr's own folder.
DATA = "demo.db"
#: The demo's project.
PROJECT = "DEMO"


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """The folder of a demo.

    Attributes:
        root: The folder.
        mark: The mark of its state file.
        data: The file that keeps its Jira.
    """

    root: Path
    mark: str | None
    data: Path


def prepare_demo_folder(folder: Path | None = None, *, ask: bool = True) -> DemoFolder:
    """Prepare the folder of a demo; synchronous.

    Args:
        folder: The folder; None for a new one for temporary files.
        ask: Whether the user may be asked if a state file in it is theirs.

    Raises:
        UnsafePath: A link or the like has the name of ticketr's folder.
        FileFailed: The folder cannot be made or written.
        ConfigError: See `own_mark`, as for its other errors.
    """
    root = folder.absolute() if folder else Path(tempfile.mkdtemp(prefix="ticketr-demo-"))
    store = Store(root, STATE_FOLDER)
    store.folder.check()
    mark = own_mark(root, ask=ask)
    store.prepare()
    return DemoFolder(root, mark, store.own / DATA)


def how_to_continue_demo(root: Path) -> str:
    """Return where the files of a demo are, and the command that continues it.

    Args:
        root: The folder of the demo.
    """
    again = shlex.join(["ticketr", "demo", "-C", str(root)])
    return f"The tickets are Markdown files in {root}; '{again}' continues with them"


@asynccontextmanager
async def open_demo(
    folder: DemoFolder,
    *,
    tickets: int | None = None,
    seed: int | None = None,
    latency: float = 0.0,
) -> AsyncGenerator[SessionOptions]:
    """Run a Jira stand-in for a folder while the block runs.

    Args:
        folder: The folder.
        tickets: The number of tickets on a new site.
        seed: The random seed of a new site.
        latency: Seconds before each response.

    Yields:
        The options of jobs between them.

    Raises:
        SandboxFailed: The stand-in did not start.
    """
    async with open_sandbox(tickets=tickets, seed=seed, latency=latency, data=folder.data) as url:
        login = Credentials(url, "demo@example.com", "demo")
        yield {
            "root": folder.root,
            "credentials": login,
            "project": PROJECT,
            "mark": folder.mark,
            "comments": True,
        }
