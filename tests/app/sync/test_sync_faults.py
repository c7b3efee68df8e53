"""Jobs on a site that is hostile or answers nonsense: they end, and nothing is lost or doubled."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.pulls import Bench, Recorder
from fakes.scenes import (
    Facts,
    check_afterwards,
    copy_scene,
    done,
    make_scene,
    run,
    undisturbed,
)
from fakes.wire import Wire

from jira_sandbox import Fault, FaultKind, Faults, create_app
from ticketr import JobFailed, open_job_queue
from ticketr._errors import TicketrError
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import PullJob, PushJob, PushResult, SyncJob, SyncResult

JOBS = [PullJob, PushJob, SyncJob]
#: Seconds of virtual time within which a job of some fifty requests has to end.
BOUND = 3600.0


class OnWrites(Faults):
    """Faults that hit nothing but what changes an issue."""

    def draw(self, method: str, path: str, body: bytes) -> Fault | None:
        path = path.rstrip("?")
        is_write = method == "PUT" or path.endswith(("/issue", "/transitions"))
        return super().draw(method, path, body) if is_write and method != "GET" else None


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_scene(tmp_path_factory.mktemp("scene") / "work")


@pytest.fixture(scope="module")
def wanted(scene: Bench, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return undisturbed(scene, tmp_path_factory.mktemp("whole") / "work")


def run_job(bench: Bench, kind: type[Any], faults: Faults) -> object:
    """Run a job on the hostile site; gives its result, None if it failed."""

    async def main() -> object:
        with trio.fail_after(BOUND):
            async with open_job_queue(workers=1) as queue:
                transport = Wire(create_app(bench.site, latency=0.1, faults=faults))
                with suppress(JobFailed):
                    return await queue.run(kind(**bench.settings(transport=transport)))
        return None

    return run(main)


def check_result(bench: Bench, result: object) -> None:
    """See that what is said to be done is done."""
    pushed = result.push if isinstance(result, SyncResult) else result
    if isinstance(pushed, PushResult):
        count = len(pushed.created) + len(pushed.updated)
        assert count <= done(bench.site)
        told = [*pushed.created, *pushed.updated]
        assert len(set(told)) == count


def ordeal(
    scene: Bench, root: Path, kind: type[Any], all_faults: Iterable[Faults], wanted: Facts
) -> int:
    """Run a job twice under each of some faults, then look; gives how many runs came to an end."""
    ended = 0
    for number, faults in enumerate(all_faults):
        bench = copy_scene(scene, root / str(number))
        try:
            for _ in range(2):
                result = run_job(bench, kind, faults)
                check_result(bench, result)
                ended += result is not None
            check_afterwards(bench, wanted)
        except BaseException as error:
            error.add_note(f"{kind.__name__} under {faults.rates}, {faults.seed}; see {bench.root}")
            raise
        shutil.rmtree(bench.root)
    return ended


def everywhere(
    rate: float, seeds: Iterable[int], kinds: Iterable[FaultKind] = FaultKind
) -> list[Faults]:
    kinds = list(kinds)
    return [Faults(dict.fromkeys(kinds, rate / len(kinds)), seed=seed) for seed in seeds]


@pytest.mark.unmeasured
@pytest.mark.parametrize("fault", FaultKind, ids=lambda kind: kind.value)
def test_writes_may_go_wrong_in_every_way(
    scene: Bench, wanted: Facts, tmp_path: Path, fault: FaultKind
) -> None:
    ended = ordeal(scene, tmp_path, SyncJob, [OnWrites({fault: 0.5}, seed=1)], wanted)

    assert ended == 2  # what goes wrong with one ticket is told, and the others go on


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", JOBS)
def test_anything_may_go_wrong_at_any_time(
    scene: Bench, wanted: Facts, tmp_path: Path, kind: type[Any]
) -> None:
    ordeal(scene, tmp_path, kind, everywhere(0.1, range(2)), wanted)


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", JOBS)
@pytest.mark.parametrize("fault", FaultKind, ids=lambda kind: kind.value)
def test_everything_may_go_wrong_in_one_way(
    scene: Bench, wanted: Facts, tmp_path: Path, kind: type[Any], fault: FaultKind
) -> None:
    ordeal(scene, tmp_path, kind, everywhere(0.1, range(10), [fault]), wanted)


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", [PushJob, SyncJob])
@pytest.mark.parametrize("fault", FaultKind, ids=lambda kind: kind.value)
def test_writes_may_go_wrong_with_many_fates(
    scene: Bench, wanted: Facts, tmp_path: Path, kind: type[Any], fault: FaultKind
) -> None:
    faults = [OnWrites({fault: 0.3 + seed % 5 / 10}, seed=seed) for seed in range(15)]

    assert ordeal(scene, tmp_path, kind, faults, wanted) == 30


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", JOBS)
def test_anything_may_go_wrong_with_many_fates(
    scene: Bench, wanted: Facts, tmp_path: Path, kind: type[Any]
) -> None:
    ordeal(scene, tmp_path, kind, everywhere(0.15, range(60)), wanted)


#: What stands in a wrong place; the numbers are some that no conversion takes.
ODD: list[Any] = [
    None,
    [],
    {},
    [None],
    [[]],
    {"": None},
    0,
    -1,
    1e308,
    True,
    "",
    "x",
    "\x1b[2J",
    [0],
]


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, its own among them."""
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in items:
        yield from spots(each, (*path, key))


def with_odd(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    inner = with_odd(value[path[0]], path[1:], odd)
    if isinstance(value, dict):
        return {**value, path[0]: inner}
    return [*value[: path[0]], inner, *value[path[0] + 1 :]]


class Odd(Recorder):
    """Puts something odd into one place of some answers.

    Args:
        app: the sandbox's application.
        rng: the source of chance.
        share: of how many answers.
    """

    def __init__(self, app: object, rng: random.Random, share: float) -> None:
        super().__init__(app)
        self._rng = rng
        self._share = share
        self.done: list[str] = []

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if not response.body or self._rng.random() > self._share:
            return response
        value = json.loads(response.body)
        path = self._rng.choice([*spots(value)])
        odd = self._rng.choice(ODD)
        self.done.append(f"{request.method} {request.url} at {path}: {odd!r}")
        body = json.dumps(with_odd(value, path, odd)).encode()
        return Response(response.status, response.headers, body, response.url)


def failure_of(main: Callable[[], Awaitable[None]]) -> BaseException | None:
    try:
        run(main)
    except JobFailed as failed:
        return failed.__cause__
    return None


def ordeal_of_odd_answers(scene: Bench, root: Path, kind: type[Any], seed: int) -> None:
    """Run a job on a site with odd answers, then look."""
    bench = copy_scene(scene, root)
    transport = Odd(create_app(bench.site), random.Random(seed), share=0.15)

    async def main() -> None:
        async with open_job_queue(workers=1) as queue:
            await queue.run(kind(**bench.settings(transport=transport)))

    try:
        error = failure_of(main)
        assert error is None or isinstance(error, TicketrError), repr(error)
        assert "Trio nursery" not in str(error)
        with bench.state() as state:
            state.known()
        bench.keys()
    except BaseException as error:
        error.add_note(f"{kind.__name__}, seed {seed}: {transport.done}")
        raise
    shutil.rmtree(root)


@pytest.mark.parametrize("kind", JOBS)
def test_no_answer_of_a_wrong_shape_is_a_fault_of_ours(
    scene: Bench, tmp_path: Path, kind: type[Any]
) -> None:
    for seed in range(8):
        ordeal_of_odd_answers(scene, tmp_path / str(seed), kind, seed)


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", JOBS)
def test_none_is_with_many_seeds(scene: Bench, tmp_path: Path, kind: type[Any]) -> None:
    for seed in range(1000, 2500):
        ordeal_of_odd_answers(scene, tmp_path / str(seed), kind, seed)
