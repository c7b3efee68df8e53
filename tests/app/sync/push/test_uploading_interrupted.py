"""Pictures that are cut off on their way to Jira: none is attached twice, and none is lost."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.cancelled_jobs import NEVER, job_cancelled_at
from fakes.described import blocks, describe, edit, p, text
from fakes.pulls import URL, Bench, Recorder
from fakes.scenes import copy_scene, run

from jira_sandbox import create_app, make_site
from jira_sandbox.api.media import media_id
from ticketr import JobStatus, open_job_queue
from ticketr.app.jira import ConnectionLost
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import PushJob, SyncJob

LATENCY = 0.1
DRAFT = "# TICKET: A draft\n\n## Description\nabove\n\n![](b.png)\n"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An edited ticket with a picture that is there twice, and a draft with another one."""
    bench = Bench(make_site(tickets=3, seed=1), tmp_path_factory.mktemp("scene") / "work")
    describe(bench, "DEMO-1", p("one"))
    run(bench.pull)
    for name in ("a.png", "b.png"):
        (bench.root / name).write_bytes(name.encode())
    edit(bench, "DEMO-1", "\none\n", "\none\n\n![A](a.png)\n\n![](./a.png)\n")
    (bench.root / "draft.md").write_text(DRAFT)
    return bench


def attached(bench: Bench) -> list[str]:
    return sorted(each.name for issue in bench.site for each in issue.attachments)


def check(bench: Bench) -> None:
    """See that another sync leaves all as one undisturbed run does."""
    result = run(bench.sync)
    assert (result.push.failed, result.push.conflicts, result.pull.conflicts) == ((), (), ())
    assert attached(bench) == ["a.png", "b.png"]
    (draft,) = (each.key for each in bench.site if each.summary == "A draft")
    shown = {
        key: [
            each["content"][0]["attrs"]["id"]
            for each in blocks(bench, key)
            if each["type"] == "mediaSingle"
        ]
        for key in ("DEMO-1", draft)
    }
    ids = {key: media_id(bench.finds(key).attachments[0].id) for key in shown}
    assert shown == {"DEMO-1": [ids["DEMO-1"]] * 2, draft: [ids[draft]]}
    assert "![A](attachment:a.png)\n\n![](attachment:a.png)\n" in text(bench, "DEMO-1")
    assert "above\n\n![](attachment:b.png)\n" in (bench.root / "draft.md").read_text()
    assert run(bench.push).done == 0


def sweep(scene: Bench, root: Path, kind: type[Any], steps: Iterable[int]) -> None:
    for step in steps:
        bench = copy_scene(scene, root / str(step), latency=LATENCY)
        _, snapshot = job_cancelled_at(bench, kind, step)
        bench.latency = 0.0
        try:
            assert snapshot.status in {JobStatus.CANCELLED, JobStatus.COMPLETED}
            check(bench)
        except BaseException as error:
            error.add_note(f"{kind.__name__} cancelled at step {step}; see {bench.root}")
            raise
        shutil.rmtree(bench.root)


def count_steps(scene: Bench, root: Path, kind: type[Any]) -> int:
    bench = copy_scene(scene, root / "counted", latency=LATENCY)
    instrument, snapshot = job_cancelled_at(bench, kind, NEVER)
    assert snapshot.status is JobStatus.COMPLETED
    check(bench)
    return instrument.seen


def test_a_push_of_pictures_may_be_cancelled_at_any_of_a_sample_of_its_steps(
    scene: Bench, tmp_path: Path
) -> None:
    last = count_steps(scene, tmp_path, PushJob)

    sweep(scene, tmp_path, PushJob, random.Random(7).sample(range(last // 3, last), 6))


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", [PushJob, SyncJob])
def test_a_push_of_pictures_may_be_cancelled_at_every_step(
    scene: Bench, tmp_path: Path, kind: type[Any]
) -> None:
    sweep(scene, tmp_path, kind, range(1, count_steps(scene, tmp_path, kind) + 1))


class Broken(Recorder):
    """Breaks the first requests of a kind, before or after the site has carried them out."""

    def __init__(
        self, app: Any, breaks: Callable[[str, str], bool], *, taken: bool, status: int, times: int
    ) -> None:
        super().__init__(app)
        self._breaks, self._taken, self._status, self._left = breaks, taken, status, times

    async def send(self, request: Request) -> Response:
        path = request.url.removeprefix(f"{URL}/rest/api/3/").partition("?")[0]
        if not self._left or not self._breaks(request.method, path):
            return await super().send(request)
        self._left -= 1
        if self._taken:
            await super().send(request)
        if self._status:
            answer = b'{"errorMessages": ["not now"], "errors": {}}'
            return Response(
                self._status, {"retry-after": "1", "content-type": "application/json"}, answer, path
            )
        raise ConnectionLost(request.url, "the cable was pulled")


def is_upload(method: str, path: str) -> bool:
    return method == "POST" and path.endswith("/attachments")


def is_edit(method: str, path: str) -> bool:
    return method == "PUT" and path.startswith("issue/")


def is_look_up(_: str, path: str) -> bool:
    return path.startswith("attachment/content/")


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("status", [0, 429, 500, 413])
@pytest.mark.parametrize("breaks", [is_upload, is_edit, is_look_up])
def test_a_request_that_is_lost_or_refused_doubles_nothing(
    scene: Bench, tmp_path: Path, breaks: Callable[[str, str], bool], status: int, taken: bool
) -> None:
    bench = copy_scene(scene, tmp_path / "work")
    app = create_app(bench.site)
    run(bench.push, transport=Broken(app, breaks, taken=taken, status=status, times=2))

    check(bench)


class Cutting(Recorder):
    """Empties a file while it is sent, so that the request never ends."""

    def __init__(self, app: Any, path: Path) -> None:
        super().__init__(app)
        self._path = path

    async def send(self, request: Request) -> Response:
        if request.source is None:
            return await super().send(request)
        self._path.write_bytes(b"")
        async for _ in request.source.pieces():
            pass
        raise AssertionError("the file is as long as before")


@pytest.mark.parametrize("is_cut", [True, False])
def test_the_push_after_one_that_jira_has_nothing_of_waits_for_nothing(
    scene: Bench, tmp_path: Path, is_cut: bool
) -> None:
    bench = copy_scene(scene, tmp_path / "work")
    (bench.root / "draft.md").unlink()
    picture, app = bench.root / "a.png", create_app(bench.site)
    broken: Recorder = (
        Cutting(app, picture)
        if is_cut
        else Broken(app, is_upload, taken=False, status=429, times=6)
    )

    async def push_twice() -> float:
        assert len((await bench.push(transport=broken)).failed) == 1
        picture.write_bytes(b"a.png")
        again = trio.current_time()
        assert (await bench.push(late_request_window=30.0)).failed == ()
        return trio.current_time() - again

    assert run(push_twice) == 0.0
    assert attached(bench) == ["a.png"]


class CutOff(Recorder):
    """Cancels a scope once the site has the first picture, before its answer arrives."""

    def __init__(self, app: Any, scope: trio.CancelScope) -> None:
        super().__init__(app)
        self._scope = scope

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if is_upload(request.method, request.url):
            self._scope.cancel()
            await trio.lowlevel.checkpoint()
        return response


def test_a_picture_whose_push_ended_before_the_answer_is_not_attached_again(
    scene: Bench, tmp_path: Path
) -> None:
    bench = copy_scene(scene, tmp_path / "work")

    async def cut_off() -> bool:
        with trio.CancelScope() as scope:
            await bench.push(transport=CutOff(create_app(bench.site), scope))
        return scope.cancelled_caught

    assert run(cut_off)
    assert len(attached(bench)) == 1
    check(bench)


@pytest.mark.parametrize("job", [PushJob, SyncJob])
@pytest.mark.parametrize("until", [is_upload, is_look_up, is_edit])
def test_a_cancelled_push_names_the_pictures_that_jira_may_have(
    scene: Bench, tmp_path: Path, until: Callable[[str, str], bool], job: type[Any]
) -> None:
    bench = copy_scene(scene, tmp_path / "work")
    (bench.root / "draft.md").unlink()

    class Silent(Recorder):
        async def send(self, request: Request) -> Response:
            path = request.url.removeprefix(f"{URL}/rest/api/3/").partition("?")[0]
            if until(request.method, path):
                await trio.sleep_forever()
            return await super().send(request)

    async def cut_off() -> str:
        async with open_job_queue(workers=1) as queue:
            transport = Silent(create_app(bench.site))
            handle = await queue.submit(job(**bench.settings(transport=transport)))
            await trio.sleep(20)
            queue.cancel(handle.id)
            snapshot = await handle.wait()
        assert snapshot.progress is not None
        return snapshot.progress.message

    assert run(cut_off) == "Cancelled: 0/1 tickets pushed; Jira may have a.png, too"


def test_a_picture_that_a_gateway_finds_too_large_is_named_with_its_size(
    scene: Bench, tmp_path: Path
) -> None:
    bench = copy_scene(scene, tmp_path / "work")
    broken = Broken(create_app(bench.site), is_upload, taken=False, status=413, times=1)

    (note,) = run(bench.push, transport=broken).failed

    assert "a.png has 5 bytes (Jira names 10,485,760 bytes as its limit); make" in note.reason


class Late(Recorder):
    """A gateway that gives up on the first upload, which the site gets some seconds later.

    It loses the connection, or answers with a web page of a status.
    """

    def __init__(self, app: Any, nursery: trio.Nursery, seconds: float, status: int) -> None:
        super().__init__(app)
        self._app = app
        self._status = status
        self._nursery, self._seconds = nursery, seconds
        self._is_lost = False

    async def send(self, request: Request) -> Response:
        if self._is_lost or request.source is None:
            return await super().send(request)
        self._is_lost = True
        body = b"".join([piece async for piece in request.source.pieces()])
        self._nursery.start_soon(self._deliver, replace(request, body=body, source=None))
        if self._status:
            return Response(self._status, {"content-type": "text/html"}, b"<html>", request.url)
        raise ConnectionLost(request.url, "the cable was pulled")

    async def _deliver(self, request: Request) -> None:
        await trio.sleep(self._seconds)
        async with Recorder(self._app) as wire:  # the job's own is closed
            await wire.send(request)


@pytest.mark.parametrize("status", [0, 403])
def test_a_picture_that_arrives_late_is_not_attached_again(
    scene: Bench, tmp_path: Path, status: int
) -> None:
    bench = copy_scene(scene, tmp_path / "work")

    async def push_twice() -> float:
        async with trio.open_nursery() as nursery:
            late = Late(create_app(bench.site), nursery, seconds=29.0, status=status)
            assert len((await bench.push(transport=late)).failed) == 1
            again = trio.current_time()
            assert (await bench.push(late_request_window=30.0)).failed == ()
            ended = trio.current_time()
        return ended - again

    assert run(push_twice) == pytest.approx(30.0)
    check(bench)
