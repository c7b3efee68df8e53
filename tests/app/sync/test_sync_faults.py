"""Jobs on a site that is hostile or answers nonsense: they end, and nothing is lost or doubled."""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.comments import add_comment
from fakes.pulls import Bench, Recorder
from fakes.scenes import Facts, check_afterwards, copy_scene, done, make_scene, run, undisturbed
from fakes.wire import Wire

from jira_sandbox import Fault, FaultKind, Faults, create_app, make_site
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.parts import Attachment
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
        return Response(response.status, response.headers, body, response.requested_url)


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
            state.known_issues_by_id()
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


ABSURD: dict[str, Any] = {
    "400 digits": 10**400,
    "minus 400 digits": -(10**400),
    "4000 digits": 10**4000,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "nan": math.nan,
    "minus one": -1,
    "half": 0.5,
    "true": True,
    "digits": "9" * 400,
    "other digits": "\u0663\u00b2",
    "year 99999": "99999-12-31T00:00:00.000+0000",
    "year 1": "0001-01-01T00:00:00.000+2359",
    "year 9999": "9999-12-31T23:59:59.999-2359",
    "no day": "2026-02-30",
    "null": None,
    "list": [],
    "object": {},
}
OPTIONS: dict[str, Any] = {
    "comments": True,
    "links": True,
    "attachment_mode": "download",
    "fields": ("Story Points", "Due date", "Original estimate", "Sprint"),
}
KEY = "DEMO-2"
#: The keys of values that no pull reads, and of those that are always
#: replaced, not only by chance.
UNREAD = {"self", "avatarUrls", "iconUrl", "statusCategory", "timeZone", "accountType", "active"}
NUMBERS = {"size", "total", "customfield_10016", "timeoriginalestimate"}


class Absurd(Recorder):
    """Replaces a value of one issue in the answers of a site.

    Args:
        app: The sandbox's application.
        path: Where the value is in the record of the issue.
        value: The value.
    """

    def __init__(self, app: object, path: tuple[Any, ...], value: Any) -> None:
        super().__init__(app)
        self._path, self._value = path, value

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if not request.url.endswith("/issue/bulkfetch"):
            return response
        answer = json.loads(response.body)
        for issue in answer["issues"]:
            if issue["key"] == KEY:
                replace_value(issue, self._path, self._value)
        body = json.dumps(answer).encode()
        return Response(response.status, response.headers, body, response.requested_url)


def replace_value(record: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        record = record[step]
    record[path[-1]] = value


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value that is no list and no object, outside of documents."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, item in steps:
        if step in UNREAD or (isinstance(item, dict) and item.get("type") == "doc"):
            continue
        if isinstance(item, dict | list):
            yield from leaves(item, (*path, step))
        else:
            yield (*path, step)


@pytest.fixture(scope="module")
def absurd_scene(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Return a site of six issues; one has a value in every field."""
    site = make_site(tickets=6, seed=1)
    bench = Bench(site, tmp_path_factory.mktemp("scene") / "work")
    file = Attachment(site.next_part(), DEMO_USER, "a.txt", "text/plain", 3, site.millis())
    site.attach(KEY, [(file, b"abc")])
    add_comment(bench, KEY, "Looks good")
    return bench


class Seen(Recorder):
    """Remembers the record of one issue."""

    record: Any = None

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if request.url.endswith("/issue/bulkfetch"):
            for issue in json.loads(response.body)["issues"]:
                if issue["key"] == KEY:
                    self.record = issue
        return response


def record_of(absurd_scene: Bench, root: Path) -> Any:
    bench = Bench(absurd_scene.site, root)
    transport = Seen(create_app(bench.site))
    run(bench.pull, **OPTIONS, transport=transport)
    assert (bench.root / "attachments" / KEY / "a.txt").read_text() == "abc"
    return transport.record


def pull_absurd(absurd_scene: Bench, root: Path, path: tuple[Any, ...], value: Any) -> None:
    """Pull an issue with an absurd value; the others must arrive, and so the true one after it."""
    bench = Bench(absurd_scene.site, root)
    transport = Absurd(create_app(bench.site), path, value)

    result = run(bench.pull, **OPTIONS, transport=transport)

    keys = {issue.key for issue in bench.site}
    if path[0] in {"key", "id"} or path[:2] == ("fields", "parent"):  # it is another issue then
        keys -= {KEY, *(child.key for child in bench.site if child.parent)}
    named = {note.key for note in result.failed}
    assert keys <= {*bench.keys(), *named}, result
    assert named <= {KEY} or KEY not in keys, result
    shutil.rmtree(root)


def check_all(absurd_scene: Bench, tmp_path: Path, share: float) -> None:
    """Pull an issue once for each place and absurd value in it, or for a share of them."""
    rng = random.Random(1)
    cases = [
        (path, name)
        for path in leaves(record_of(absurd_scene, tmp_path / "work"))
        for name in ABSURD
        if path[-1] in NUMBERS or rng.random() < share
    ]
    failures: list[str] = []
    for number, (path, name) in enumerate(cases):
        try:
            pull_absurd(absurd_scene, tmp_path / str(number), path, ABSURD[name])
        except Exception as error:  # noqa: BLE001 - each case is told
            failures.append(f"{path} {name}: {error.__cause__ or error!r:.200}")

    assert failures == [], f"{len(failures)} of {len(cases)}"


def test_an_absurd_value_in_an_issue_stops_at_most_that_issue(
    absurd_scene: Bench, tmp_path: Path
) -> None:
    check_all(absurd_scene, tmp_path, 0.01)


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_an_absurd_value_anywhere_in_an_issue_stops_at_most_that_issue(
    absurd_scene: Bench, tmp_path: Path
) -> None:
    check_all(absurd_scene, tmp_path, 1.0)
