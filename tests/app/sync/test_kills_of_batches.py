"""Pushes of many drafts whose process is killed: each draft is in Jira once, in its own file."""

from __future__ import annotations

import random
from collections.abc import Generator
from pathlib import Path

import pytest
from fakes.kill_stage import KILLED, Stage, count_steps, kill_at, open_data
from fakes.killed_sync import open_runner
from fakes.scenes import make_scene, undisturbed

#: Enough tickets and sub-tasks for a batch of each.
MANY = "".join(f"\n# TICKET: One of many {n}\n\n## Tasks\n- Part of {n}\n" for n in range(12))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    root = tmp_path_factory.mktemp("scene")
    with open_data(root / "site.db") as site:
        scene = make_scene(root / "work", site)
        with (root / "work" / "drafts.md").open("a") as file:
            file.write(MANY)
        wanted = undisturbed(scene, tmp_path_factory.mktemp("whole") / "work")
    with open_runner() as runner:
        yield Stage(root, wanted, runner)


@pytest.mark.unmeasured
def test_it_may_be_killed_at_any_of_a_sample_of_its_steps(stage: Stage, tmp_path: Path) -> None:
    last = count_steps(stage, tmp_path, "push")

    for step in random.Random(13).sample(range(last // 6, last - 10), 2):
        assert kill_at(stage, tmp_path / str(step), kind="push", step=step)["ended"] == KILLED


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("faults", ["", "refused=0.5,seed=7"])
def test_it_may_be_killed_at_every_third_step(stage: Stage, tmp_path: Path, faults: str) -> None:
    last = count_steps(stage, tmp_path, "push")

    for step in range(2, last - 10, 3):
        kill_at(stage, tmp_path / str(step), faults=faults, kind="push", step=step)
