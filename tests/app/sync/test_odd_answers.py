"""Answers of a wrong shape, anywhere: a list for an object, null, a number for a text.

What is said then are words of ours, and what is in Jira and in the files is whole.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes.pulls import Bench, Recorder
from fakes.scenes import copy_scene, make_scene, run

from jira_sandbox import create_app
from ticketr import JobFailed, open_job_queue
from ticketr._errors import TicketrError
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import PullJob, PushJob, State, SyncJob

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
JOBS = [PullJob, PushJob, SyncJob]


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


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_scene(tmp_path_factory.mktemp("scene") / "work")


def failure_of(main: Callable[[], Awaitable[None]]) -> BaseException | None:
    try:
        run(main)
    except JobFailed as failed:
        return failed.__cause__
    return None


def ordeal(scene: Bench, root: Path, kind: type[Any], seed: int) -> None:
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
        with closing(State(bench.root / ".ticketr" / "state.db")) as state:
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
        ordeal(scene, tmp_path / str(seed), kind, seed)


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", JOBS)
def test_none_is_with_many_seeds(scene: Bench, tmp_path: Path, kind: type[Any]) -> None:
    for seed in range(1000, 2500):
        ordeal(scene, tmp_path / str(seed), kind, seed)
