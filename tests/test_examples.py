"""Run each example, check what it prints, and check its length."""

from __future__ import annotations

import ast
import inspect
import json
import logging
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
import structlog
import trio
from hypercorn.config import Config
from hypercorn.trio import serve as hypercorn_serve
from rows import for_each
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from trio.testing import MockClock

from jira_sandbox.server import serve
from ticketr import JobStatus, open_job_queue

EXAMPLES = Path(__file__).parent.parent / "examples"

#: What each example prints.
PRINTED = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted(Path(__file__).with_name("examples").glob("*.txt"))
}

REAL_CLOCK = {"08_history", "11_threads"}
"""They use threads, for which a fake clock does not wait."""

WITH_A_TEST_OF_ITS_OWN = {
    "07_downloads",
    "10_shutdown",
    "12_crawler",
    "13_web_app",
    "20_durable_jobs",
    "22_cpu_work",
}

NAMES = sorted({*PRINTED, *WITH_A_TEST_OF_ITS_OWN})


def test_every_example_is_tested() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == NAMES


def test_every_example_is_in_the_list_of_examples() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")

    assert [name for name in NAMES if f"({name}.py)" not in page] == []


@for_each("name", NAMES)
def test_an_example_is_short(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 60


@for_each("name", NAMES)
def test_an_example_uses_the_public_names_alone(name: str) -> None:
    tree = ast.parse((EXAMPLES / f"{name}.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    ours = {module for module in imported if module and module.startswith("ticketr")}

    assert ours <= {"ticketr", "ticketr.statusline", "ticketr.testing"}


@pytest.fixture
def logging_as_before() -> Generator[None]:
    """Undo what an example sets up for the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize("name", sorted(PRINTED))
def test_an_example_prints_what_it_should(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(EXAMPLES / f"{name}.py"))

    if inspect.iscoroutinefunction(example["main"]):
        clock = None if name in REAL_CLOCK else MockClock(autojump_threshold=0)
        trio.run(example["main"], clock=clock)
    else:
        example["main"]()

    assert capsys.readouterr().out == PRINTED[name]


class FileServer:
    """Serves files of 3,000 bytes, and answers only once three are requested at the same time."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._three = trio.Event()

    async def answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(name)
        if len(self.asked) >= 3:
            self._three.set()
        await self._three.wait()
        if name == "lost":
            return Response(status_code=404)
        if name == "flaky" and self.asked.count(name) == 1:
            return Response(status_code=503)
        return Response(bytes(3000))

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[str]:
        app = Starlette(routes=[Route("/{name}", self.answer)])
        async with trio.open_nursery() as nursery:
            yield await nursery.start(serve, app)
            nursery.cancel_scope.cancel()


async def test_the_downloads_come_three_at_a_time_and_one_that_fails_comes_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    example = runpy.run_path(str(EXAMPLES / "07_downloads.py"))
    server = FileServer()

    async with server.listen() as url:
        with trio.fail_after(100):
            await example["main"]([f"{url}/{name}" for name in ("one", "flaky", "lost", "two")])

    printed = capsys.readouterr().out.splitlines()
    assert sorted(server.asked[:3]) == ["flaky", "lost", "one"]
    assert sorted(server.asked) == ["flaky", "flaky", "lost", "one", "two"]
    assert [line for line in printed if not line.startswith("http")] == [
        "one is there",
        "flaky is there",
        f"job '{url}/lost' (download) failed: GiveUp: the server says 404",
        "two is there",
    ]
    for name in ("one", "flaky", "two"):
        assert f"{url}/{name}: 100% (3000/3000)" in printed
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == dict.fromkeys(
        ("one", "flaky", "two"), 3000
    )


async def test_a_download_that_is_cancelled_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    download = runpy.run_path(str(EXAMPLES / "07_downloads.py"))["download"]

    async def half(request: Request) -> StreamingResponse:
        async def body() -> AsyncGenerator[bytes]:
            yield bytes(1000)
            await trio.sleep_forever()

        return StreamingResponse(body(), headers={"content-length": "3000"})

    with trio.fail_after(100):
        async with trio.open_nursery() as nursery:
            url = await nursery.start(serve, Starlette(routes=[Route("/film", half)]))
            async with httpx.AsyncClient(timeout=None) as client, open_job_queue() as queue:
                with queue.progress() as reports:
                    job = await queue.submit(download, client, f"{url}/film")
                    report = await anext(reports)
                there_meanwhile = [path.name for path in tmp_path.iterdir()]
                ended = await job.cancel_and_wait()
            nursery.cancel_scope.cancel()

    assert (report.current, report.total) == (1000, 3000)
    assert there_meanwhile == ["film.part"]
    assert ended.status is JobStatus.CANCELLED
    assert list(tmp_path.iterdir()) == []


async def test_the_crawler_visits_each_page_of_a_site_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[str] = []
    at_once: list[int] = [0]
    three = trio.Event()
    pages = {
        "/": "".join(f'<a href="/{number}">{number}</a>' for number in range(40)),
        **{f"/{number}": '<a href="/">home</a> <a href="/lost">lost</a>' for number in range(40)},
    }

    async def answer(request: Request) -> Response:
        path = request.url.path
        asked.append(path)
        at_once.append(at_once[-1] + 1)
        if at_once[-1] == 3:
            three.set()
        if path != "/":  # after which there is more than one to ask for
            await three.wait()
            await trio.sleep(0.01)
        at_once.append(at_once[-1] - 1)
        if path == "/7" and asked.count(path) == 1:
            return Response(status_code=503)
        return Response(pages[path]) if path in pages else Response(status_code=404)

    example = runpy.run_path(str(EXAMPLES / "12_crawler.py"))
    with trio.fail_after(100):
        async with trio.open_nursery() as nursery:
            url = await nursery.start(serve, Starlette(routes=[Route("/{path:path}", answer)]))
            await example["main"](f"{url}/")
            nursery.cancel_scope.cancel()

    printed = capsys.readouterr().out.splitlines()
    assert max(at_once) == 3
    assert printed.pop() == "42 pages"
    assert sorted(printed) == sorted(
        [
            f"{url}/: 40 links",
            *(f"{url}/{number}: 2 links" for number in range(40)),
            f"{url}/lost: the server says 404",
        ]
    )
    assert sorted(asked) == sorted([*pages, "/lost", "/7"])


async def test_the_web_app_submits_a_job_tells_of_it_and_cancels_it(tmp_path: Path) -> None:
    code = (EXAMPLES / "13_web_app.py").read_text(encoding="utf-8")
    endless = code.replace("duration=5, steps=10", "duration=50_000, steps=100_000")
    (tmp_path / "web_app.py").write_text(endless, encoding="utf-8")
    app = runpy.run_path(str(tmp_path / "web_app.py"))["app"]
    config = Config.from_mapping(bind=["127.0.0.1:0"], errorlog=None)
    with trio.fail_after(100):
        async with trio.open_nursery() as nursery, httpx.AsyncClient(timeout=None) as client:
            stop = trio.Event()
            (url,) = await nursery.start(
                partial(hypercorn_serve, app, config, shutdown_trigger=stop.wait)
            )
            submitted = await client.post(f"{url}/jobs")
            job = f"{url}/jobs/{submitted.json()['id']}"
            events: list[str] = []
            cancelled: list[httpx.Response] = []
            async with client.stream("GET", job) as answer:
                async for line in answer.aiter_lines():
                    events.append(line)
                    if len(events) == 3:
                        cancelled.append(await client.delete(job))
            unknown = [await client.get(f"{url}/jobs/no"), await client.delete(f"{url}/jobs/no")]
            others = [await client.post(f"{url}/jobs") for _ in range(15)]
            app.state.queue.cancel_all()
            stop.set()

    assert submitted.status_code == 202
    states = [json.loads(event.removeprefix("data: ")) for event in events if event]
    assert states[0]["status"] == "running"
    assert states[0]["progress"]["total"] == 100_000
    assert states[-1]["status"] == "cancelled"
    assert [answer.json() for answer in cancelled] == [{"outcome": "requested"}]
    assert [answer.status_code for answer in unknown] == [404, 200]
    assert unknown[1].json() == {"outcome": "unknown"}
    assert [answer.status_code for answer in others] == [202] * 14 + [503]


@pytest.fixture
def service() -> Generator[subprocess.Popen[str]]:
    """Start the service of the shutdown example; yield the process once it is ready."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / "10_shutdown.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"serving; to stop it: kill {process.pid}\n"
            yield process
        finally:
            process.kill()


async def test_a_service_that_is_told_to_stop_ends_what_it_has(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(runpy.run_path(str(EXAMPLES / "10_shutdown.py"))["main"])
        await trio.testing.wait_all_tasks_blocked()
        signal.raise_signal(signal.SIGTERM)

    assert trio.current_time() == 2 + 0.1  # the grace and a clean-up
    assert (
        capsys.readouterr().out
        == f"""\
serving; to stop it: kill {os.getpid()}
quick: completed, cause: None
endless: cancelled, cause: shutdown
job-1: cancelled, cause: shutdown
"""
    )


def test_a_second_signal_takes_the_grace_away(service: subprocess.Popen[str]) -> None:
    service.send_signal(signal.SIGINT)
    service.send_signal(signal.SIGTERM)

    printed, _ = service.communicate(timeout=500)

    assert "endless: cancelled, cause: shutdown\n" in printed
    assert service.returncode == 0


def test_jobs_compute_in_processes() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "22_cpu_work.py")],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    assert (ran.stderr, ran.returncode) == ("", 0)
    assert ran.stdout.splitlines() == [
        "running None",
        "running 33% (10000/30000) 1229 primes",
        "running 67% (20000/30000) 2262 primes",
        "completed 100% (30000/30000) 3245 primes",
        "cancelled",
    ]


def start_letters(path: Path, folder: Path = EXAMPLES) -> subprocess.Popen[str]:
    """Start the example of jobs on disk."""
    command = [sys.executable, "-W", "error", str(folder / "20_durable_jobs.py"), str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_program_that_is_killed_goes_on_with_its_jobs(tmp_path: Path) -> None:
    path = tmp_path / "letters.sqlite"
    code = (EXAMPLES / "20_durable_jobs.py").read_text(encoding="utf-8")
    held = code.replace("trio.sleep(0.5)", "trio.sleep(3600)")  # so that it is killed in a letter
    (tmp_path / "20_durable_jobs.py").write_text(held, encoding="utf-8")
    with start_letters(path, tmp_path) as killed:
        assert killed.stdout is not None
        printed = [killed.stdout.readline(), killed.stdout.readline()]  # in either order
        killed.kill()
    with start_letters(path) as second:
        rest, _ = second.communicate(timeout=500)

    assert "letter 1, attempt 1\n" in printed
    assert f"3 letters are on disk; to see them left: kill -9 {killed.pid}\n" in printed
    assert rest.splitlines() == [
        f"3 letters are left, process {second.pid} goes on",
        "letter 1, attempt 2",
        "letter 2, attempt 1",
        "letter 3, attempt 1",
    ]
    assert second.returncode == 0
