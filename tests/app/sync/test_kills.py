"""Pushes and syncs whose process is killed: nothing is lost, and nothing is there twice.

Real processes, real sockets, real kills; what is left then is looked at in virtual time.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest
from fakes.kill_stage import (
    INTERRUPTED,
    KILLED,
    LATENCY,
    Stage,
    count_steps,
    kill_at,
    open_data,
)
from fakes.killed_sync import open_runner
from fakes.processes import mortal_sandbox
from fakes.scenes import BEFORE, make_scene, undisturbed


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    root = tmp_path_factory.mktemp("scene")
    with open_data(root / "site.db") as site:
        scene = make_scene(root / "work", site)
        wanted = undisturbed(scene, tmp_path_factory.mktemp("whole") / "work")
    with open_runner() as runner:
        yield Stage(root, wanted, runner)


def how_long(stage: Stage, root: Path) -> float:
    """Tell how many seconds a sync takes here that nobody disturbs."""
    with stage.copy(root) as url:
        began = time.perf_counter()
        stage.runner.run(after=None, **stage.task(root, url))
        seconds = time.perf_counter() - began
    stage.check(root)
    return seconds


def sweep(stage: Stage, root: Path, kind: str, steps: list[int]) -> None:
    ends = [kill_at(stage, root / str(step), kind=kind, step=step)["ended"] for step in steps]
    # Runs differ by a few steps, so the last may not be reached.
    assert ends[:-5] == [KILLED] * len(ends[:-5])
    assert set(ends) <= {KILLED, 0}


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", ["push", "sync"])
def test_it_may_be_killed_at_any_of_a_sample_of_its_steps(
    stage: Stage, tmp_path: Path, kind: str
) -> None:
    last = count_steps(stage, tmp_path, kind)
    steps = random.Random(11).sample(range(last // 4, last - 10), 3)

    for step in steps:
        assert kill_at(stage, tmp_path / str(step), kind=kind, step=step)["ended"] == KILLED


@pytest.mark.unmeasured
def test_refusals_of_what_was_carried_out_double_nothing_with_a_kill_between_or_none(
    stage: Stage, tmp_path: Path
) -> None:
    told = kill_at(stage, tmp_path / "whole", kind="push", faults="refused=1,seed=2")
    assert told["ended"] == 0

    for step in random.Random(12).sample(range(told["steps"] // 3, told["steps"] - 10), 2):
        root, faults = tmp_path / str(step), f"refused=1,seed={step}"
        assert kill_at(stage, root, faults=faults, kind="push", step=step)["ended"] == KILLED


def test_it_may_be_interrupted_in_the_middle(stage: Stage, tmp_path: Path) -> None:
    told = kill_at(stage, tmp_path / "copy", kind="push", step=90, signal="SIGINT")

    assert told["ended"] == INTERRUPTED


def kill_the_site_at(stage: Stage, root: Path, step: int) -> int:
    """Push to a site that is killed at a step and started again; gives how the push ended."""
    shutil.copytree(stage.root, root)
    serve = partial(mortal_sandbox, tickets=BEFORE, latency=LATENCY)
    data = ("--data", str(root / "site.db"))
    with serve(arguments=(*data, "--port", "0")) as (process, url):
        task = stage.task(root, url, kind="push", step=step, victim=process.pid)
        stage.runner.start(**task)
        process.wait(20)
    with serve(arguments=data) as (_, again):  # at the same port
        assert again == url
        ended = stage.runner.wait()["ended"]
    stage.check(root)
    return ended


@pytest.mark.unmeasured
@pytest.mark.parametrize("step", [60, 90])
def test_the_site_may_be_killed_in_the_middle_of_a_push(
    stage: Stage, tmp_path: Path, step: int
) -> None:
    # It depends on chance and on the machine whether the client waits long enough.
    assert kill_the_site_at(stage, tmp_path / "copy", step) in {0, 1}


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_the_site_may_be_killed_at_every_step_of_a_push(stage: Stage, tmp_path: Path) -> None:
    for step in range(10, count_steps(stage, tmp_path, "push") - 10, 2):
        assert kill_the_site_at(stage, tmp_path / str(step), step) in {0, 1}, step


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["push", "sync"])
def test_it_may_be_killed_at_every_step(stage: Stage, tmp_path: Path, kind: str) -> None:
    last = count_steps(stage, tmp_path, kind)

    sweep(stage, tmp_path, kind, [*range(1, last + 1)])


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_it_may_be_interrupted_at_every_step(stage: Stage, tmp_path: Path) -> None:
    for step in range(1, count_steps(stage, tmp_path, "sync") - 10):
        told = kill_at(stage, tmp_path / str(step), kind="sync", step=step, signal="SIGINT")
        assert told["ended"] in {INTERRUPTED, 0}


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_it_may_be_killed_at_any_moment(stage: Stage, tmp_path: Path) -> None:
    whole = how_long(stage, tmp_path / "whole")
    rng = random.Random(3)
    moments = [rng.random() * whole for _ in range(200)]
    ends = [
        kill_at(stage, tmp_path / str(turn), after=moment)["ended"]
        for turn, moment in enumerate(moments)
    ]

    assert set(ends) <= {KILLED, 0}
    assert ends.count(KILLED) > len(ends) / 2


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_it_may_be_killed_again_and_again(stage: Stage, tmp_path: Path) -> None:
    whole = how_long(stage, tmp_path / "whole")
    rng = random.Random(4)
    for turn in range(30):
        root = tmp_path / str(turn)
        with stage.copy(root) as url:
            for kind in ("push", "sync", "push"):
                stage.runner.run(after=rng.random() * whole, **stage.task(root, url, kind=kind))
        stage.check(root)
