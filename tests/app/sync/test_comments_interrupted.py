"""Comments that are cancelled, killed and refused on their way: none is doubled, and none is lost."""

from __future__ import annotations

import random
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.cancelled_jobs import cancel_at_each, count_steps
from fakes.comments import (
    WANTED,
    CommentBench,
    check_comments,
    comments_by_title,
    make_comment_scene,
)
from fakes.killed_sync import Runner, open_runner
from fakes.processes import sandbox_process
from fakes.pulls import URL
from fakes.scenes import copy_scene, counts, run
from fakes.wire import Wire

from jira_sandbox import Fault, FaultKind, Faults, Site, create_app
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.storage import SiteFile
from jira_sandbox.opening import open_site
from ticketr import JobFailed, JobSnapshot, open_job_queue
from ticketr.app.sync import PushJob, PushResult, SyncJob, SyncResult

LATENCY = 0.1


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> CommentBench:
    return make_comment_scene(tmp_path_factory.mktemp("scene") / "work")


def finished(bench: CommentBench) -> int:
    """Return how many tickets have anything of what was written for them."""
    found = comments_by_title(bench.site)
    drafts = sum(each.summary == "Of a draft" for each in bench.site)
    edited = sum(
        bool({"one", "two", "of a task", "changed"}.intersection(found.get(title, ())))
        for title in WANTED
    )
    return drafts + edited


def check_no_double(bench: CommentBench) -> None:
    for title, texts in comments_by_title(bench.site).items():
        left = list(WANTED[title])
        for text in texts:
            if text != "old":
                left.remove(text)


def check_cancelled(bench: CommentBench, snapshot: JobSnapshot) -> None:
    message = (snapshot.progress and snapshot.progress.message) or ""
    if (count := counts(message)) and message.endswith("pushed"):
        assert count[0] <= finished(bench), message
    check_no_double(bench)
    check_comments(bench)


def sweep(scene: CommentBench, root: Path, kind: type[Any], steps: Iterable[int]) -> None:
    cancel_at_each(steps, scene, root, kind, check_cancelled, latency=LATENCY)


@pytest.mark.parametrize("kind", [PushJob, SyncJob])
def test_a_push_of_comments_may_be_cancelled_at_any_of_a_sample_of_its_steps(
    scene: CommentBench, tmp_path: Path, kind: type[Any]
) -> None:
    last = count_steps(scene, tmp_path, kind, LATENCY)

    sweep(scene, tmp_path, kind, random.Random(3).sample(range(last // 3, last), 6))


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", [PushJob, SyncJob])
def test_a_push_of_comments_may_be_cancelled_at_every_step(
    scene: CommentBench, tmp_path: Path, kind: type[Any]
) -> None:
    sweep(scene, tmp_path, kind, range(1, count_steps(scene, tmp_path, kind, LATENCY) + 1))


class OnComments(Faults):
    """Faults that hit nothing but what creates an issue, or adds or changes a comment."""

    def draw(self, method: str, path: str, body: bytes) -> Fault | None:
        path = path.rstrip("?")
        is_write = method in {"POST", "PUT"} and (path.endswith("/issue") or "/comment" in path)
        return super().draw(method, path, body) if is_write else None


def ordeal(scene: CommentBench, root: Path, kind: type[Any], faults: Faults) -> None:
    """Run a job twice on a hostile site, then look what came of it."""
    bench = copy_scene(scene, root / "ordeal")

    async def main() -> object:
        with trio.fail_after(3600), suppress(JobFailed):
            async with open_job_queue(workers=1) as queue:
                transport = Wire(create_app(bench.site, latency=0.1, faults=faults))
                return await queue.run(kind(**bench.settings(transport=transport)))
        return None

    try:
        for _ in range(2):
            result = run(main)
            pushed = result.push if isinstance(result, SyncResult) else result
            if isinstance(pushed, PushResult):
                assert len(pushed.created) + len(pushed.updated) <= finished(bench)
            check_no_double(bench)
        check_comments(bench)
    except BaseException as error:
        error.add_note(f"{kind.__name__} under {faults.rates}, {faults.seed}; see {bench.root}")
        raise
    shutil.rmtree(bench.root)


@pytest.mark.parametrize("fault", FaultKind, ids=lambda kind: kind.value)
def test_a_comment_may_go_wrong_in_every_way(
    scene: CommentBench, tmp_path: Path, fault: FaultKind
) -> None:
    ordeal(scene, tmp_path, SyncJob, OnComments({fault: 0.5}, seed=2))


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", [PushJob, SyncJob])
@pytest.mark.parametrize("fault", FaultKind, ids=lambda kind: kind.value)
def test_comments_may_go_wrong_with_many_fates(
    scene: CommentBench, tmp_path: Path, kind: type[Any], fault: FaultKind
) -> None:
    for seed in range(10):
        ordeal(scene, tmp_path, kind, OnComments({fault: 0.3 + seed % 5 / 10}, seed=seed))


@contextmanager
def open_data(path: Path) -> Generator[Site]:
    """Open the site in a file, in this process."""
    with SiteFile(path, [DEMO_USER]) as file:
        yield open_site(file, tickets=6, seed=1)


def kill_at(runner: Runner, scene: Path, root: Path, step: int) -> dict[str, int]:
    """Kill a push at a step, and look at what is left."""
    shutil.copytree(scene, root)
    data = ("--data", str(root / "site.db"), "--port", "0")
    task: dict[str, Any] = {"root": str(root / "work"), "browse": URL, "kind": "push"}
    with sandbox_process(tickets=6, latency=0.01, arguments=data) as url:
        told = runner.run(url=url, step=step, comments=True, **task)
    with open_data(root / "site.db") as site:
        bench = CommentBench(site, root / "work")
        check_no_double(bench)
        check_comments(bench)
    shutil.rmtree(root)
    return told


@pytest.mark.unmeasured
def test_a_push_of_comments_may_be_killed(tmp_path: Path) -> None:
    (tmp_path / "scene").mkdir()
    with open_data(tmp_path / "scene" / "site.db") as site:
        make_comment_scene(tmp_path / "scene" / "work", site)
    with open_runner() as runner:
        kill = partial(kill_at, runner, tmp_path / "scene")
        whole = kill(tmp_path / "whole", 0)
        steps = random.Random(4).sample(range(whole["steps"] // 3, whole["steps"] - 10), 2)

        ends = [kill(tmp_path / str(step), step)["ended"] for step in steps]

    assert (whole["ended"], ends) == (0, [-9, -9])
