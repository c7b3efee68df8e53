"""A workspace and a site, copied for each job whose process is killed.

Real processes, real sockets, real kills; what is left then is looked at in virtual time.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fakes.killed_sync import Runner
from fakes.processes import sandbox_process
from fakes.pulls import URL, Bench
from fakes.scenes import BEFORE, Facts, check_afterwards

from jira_sandbox import Site
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.storage import SiteFile
from jira_sandbox.opening import open_site

KILLED, INTERRUPTED = -9, 130
LATENCY = 0.01


@contextmanager
def open_data(path: Path) -> Generator[Site]:
    """Open the site in a file, in this process."""
    with SiteFile(path, [DEMO_USER]) as file:
        yield open_site(file, tickets=BEFORE, seed=1)


@dataclass(frozen=True)
class Stage:
    """A scene whose site is in a file, to be copied for each kill.

    Attributes:
        root: the folder of the scene.
        wanted: what the site has to say in the end.
        runner: runs jobs in other processes.
    """

    root: Path
    wanted: Facts
    runner: Runner

    @contextmanager
    def copy(self, root: Path, faults: str = "") -> Generator[str]:
        """Copy both sides, and serve the site while the block lasts; gives its address."""
        shutil.copytree(self.root, root)
        hostile = ("--faults", faults) if faults else ()
        data = ("--data", str(root / "site.db"), "--port", "0", *hostile)
        with sandbox_process(tickets=BEFORE, latency=LATENCY, arguments=data) as url:
            yield url

    def task(self, root: Path, url: str, **how: object) -> dict[str, object]:
        """Describe a job in a copy."""
        task: dict[str, object] = {"root": str(root / "work"), "url": url, "browse": URL}
        return task | {"kind": "sync"} | how

    def check(self, root: Path) -> None:
        """See that the next sync of a copy puts everything right; then it is not needed any more."""
        with open_data(root / "site.db") as site:
            check_afterwards(Bench(site, root / "work"), self.wanted)
        shutil.rmtree(root)


def kill_at(
    stage: Stage, root: Path, *, after: float | None = None, faults: str = "", **how: object
) -> dict[str, int]:
    """Run a job in a copy, which ends early, and look at what is left."""
    with stage.copy(root, faults) as url:
        told = stage.runner.run(after=after, **stage.task(root, url, **how))
    try:
        stage.check(root)
    except BaseException as error:
        error.add_note(f"{how}, {after} ended with {told}; see {root}")
        raise
    return told


def count_steps(stage: Stage, root: Path, kind: str) -> int:
    told = kill_at(stage, root / "counted", kind=kind)
    assert told["ended"] == 0
    return told["steps"]
