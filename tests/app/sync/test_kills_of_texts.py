"""Pushes of pictures, comments and field sections whose process is killed: each is in Jira once.

Real processes, real sockets, real kills; what is left then is looked at in virtual time.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fakes.described import edit
from fakes.kill_stage import KILLED, LATENCY
from fakes.killed_sync import Runner, open_runner
from fakes.processes import sandbox_process
from fakes.pulls import URL, Bench
from fakes.scenes import check_clean, run

from jira_sandbox import Site
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.storage import SiteFile
from jira_sandbox.opening import open_site
from ticketr.app.jira.adf import to_markdown

FIELDS: dict[str, object] = {"fields": ["Environment"], "comments": True, "project": "KIT"}
#: The files that the push attaches.
UPLOADS = 3
DRAFT = """\
# TICKET: A draft

## Description
![](b.png)

## Field: Environment
The *second* node.

## Comments
- new: See

  ![](c.png)
"""


@contextmanager
def open_data(path: Path) -> Generator[Site]:
    """Open the site in a file, in this process; the issues of KIT have fields of every type."""
    with SiteFile(path, [DEMO_USER]) as file:
        yield open_site(file, tickets=1, seed=1, all_fields=True)


class TextBench(Bench):
    """A site and a workspace whose files hold comments and a field with rich text."""

    def settings(self, **changes: Any) -> dict[str, Any]:
        return super().settings(**{**FIELDS, "fields": ("Environment",), **changes})


def said(bench: Bench) -> list[tuple[str, list[str], int, str, list[int]]]:
    """Return what the push has written, of each issue by its title."""
    return sorted(
        (
            each.summary,
            sorted(file.name for file in each.attachments),
            str(each.description).count("mediaSingle"),
            to_markdown(each.values.get("environment")),
            [str(comment.body).count("mediaSingle") for comment in each.comments],
        )
        for each in bench.site
        if each.summary == "A draft" or each.key == "KIT-2"
    )


@dataclass(frozen=True)
class Stage:
    """An edited workspace with its site, to be copied for each kill."""

    root: Path
    wanted: object
    runner: Runner

    def push(self, root: Path, *, again: bool = False, **how: object) -> dict[str, int]:
        """Push a copy in a process of its own, which may end early; check what is left.

        Args:
            root: The copy.
            again: Whether another process pushes at once, while the site may still be busy.
            how: How the process ends.
        """
        shutil.copytree(self.root, root)
        data = ("--all-fields", "--data", str(root / "site.db"), "--port", "0")
        with sandbox_process(tickets=1, latency=LATENCY, arguments=data) as url:
            task: dict[str, object] = {"root": str(root / "work"), "url": url, "browse": URL}
            task |= {"kind": "push", **FIELDS}
            told = self.runner.run(after=None, **task, **how)
            if again:
                assert self.runner.run(after=None, **task)["ended"] == 0
        with open_data(root / "site.db") as site:
            bench = TextBench(site, root / "work")
            synced = run(bench.sync)
            check_clean(synced.pull, synced.push)
            assert said(bench) == self.wanted, (how, told)
            assert run(bench.push).total == 0
        shutil.rmtree(root)
        return told


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    root = tmp_path_factory.mktemp("scene")
    with open_data(root / "site.db") as site:
        bench = TextBench(site, root / "work")
        run(bench.pull)
        for name in ("a.png", "b.png", "c.png"):
            (bench.root / name).write_bytes(name.encode())
        edit(bench, "KIT-2", "## Fields\n", "![](a.png)\n\n## Fields\n")
        edit(bench, "KIT-2", "## Field: Environment\n", "## Field: Environment\nMoved.\n\n")
        (bench.root / "draft.md").write_text(DRAFT)
    whole = tmp_path_factory.mktemp("whole") / "copy"
    shutil.copytree(root, whole)
    with open_data(whole / "site.db") as site:
        undisturbed = TextBench(site, whole / "work")
        synced = run(undisturbed.sync)
        check_clean(synced.pull, synced.push)
        wanted = said(undisturbed)
    assert [each[1:3] for each in wanted] == [
        (["b.png", "c.png"], 1),
        (["Angebot für Regale.txt", "a.png", "plan.png"], 1),
    ]
    with open_runner() as runner:
        yield Stage(root, wanted, runner)


@pytest.mark.unmeasured
def test_a_push_of_pictures_and_sections_may_be_killed_at_a_sample_of_its_steps(
    stage: Stage, tmp_path: Path
) -> None:
    told = stage.push(tmp_path / "whole")
    last = told["steps"]
    assert told["ended"] == 0

    for step in random.Random(14).sample(range(last // 4, last - 10), 2):
        assert stage.push(tmp_path / str(step), step=step)["ended"] == KILLED


@pytest.mark.unmeasured
@pytest.mark.parametrize("seconds", [None, 0.005])
def test_a_push_may_be_killed_with_an_upload_on_its_way(
    stage: Stage, tmp_path: Path, seconds: float | None
) -> None:
    number = random.Random(15).randint(1, UPLOADS)

    told = stage.push(tmp_path / "copy", again=True, upload=number, seconds=seconds)

    assert told["ended"] == KILLED


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_it_may_be_killed_at_any_moment_of_any_upload(stage: Stage, tmp_path: Path) -> None:
    rng = random.Random(16)
    moments = [None, 0.0, *(rng.random() * 3 * LATENCY for _ in range(20))]
    for turn, (number, seconds) in enumerate(product(range(1, UPLOADS + 1), moments)):
        root, again = tmp_path / str(turn), rng.random() < 0.5
        told = stage.push(root, again=again, upload=number, seconds=seconds)
        assert told["ended"] == KILLED, (number, seconds)


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_it_may_be_killed_at_every_third_step(stage: Stage, tmp_path: Path) -> None:
    last = stage.push(tmp_path / "whole")["steps"]

    for step in range(2, last - 10, 3):
        stage.push(tmp_path / str(step), step=step)
