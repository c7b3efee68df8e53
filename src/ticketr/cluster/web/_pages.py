"""The pages: the queue, one job, what says when jobs start, the workers."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote

import jinja2
import trio
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ticketr import CancelOutcome, JobStatus
from ticketr.cleaning import clean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from starlette.requests import Request

    from ticketr import JobSnapshot
    from ticketr.cluster._list import GateRow, WorkerRow
    from ticketr.cluster._repeat_state import RepeatState

MOST_ROWS: Final = 200
PATIENCE: Final = 5.0
"""Seconds until a page says that the queue's server does not answer."""
_LONGEST_RESULT: Final = 20_000
_ASSET_TYPES: Final = {"bootstrap.min.css": "text/css", "htmx.min.js": "text/javascript"}
_CANCEL_ANSWERS: Final = {
    CancelOutcome.CANCELLED: "The job was pending. It is cancelled now, and will not be run.",
    CancelOutcome.REQUESTED: "The job runs. It was asked to stop.",
    CancelOutcome.ALREADY_REQUESTED: "The job was asked to stop before.",
    CancelOutcome.ALREADY_FINISHED: "The job had ended already.",
    CancelOutcome.UNKNOWN: "The queue knows no such job any more.",
}
_NO_JOB: Final = "The queue knows no such job: it never was, or its record was dropped."


class JobSource(Protocol):
    """Where the pages find the jobs of a queue."""

    async def totals(self) -> Mapping[JobStatus, int]:
        """Return how many jobs have each status."""

    async def newest(self, status: JobStatus | None, limit: int) -> Sequence[JobSnapshot]:
        """Return the newest jobs with a status, or of any."""

    async def find(self, job_id: str) -> JobSnapshot | None:
        """Return one job; None if it is unknown."""

    async def cancel(self, job_id: str) -> CancelOutcome:
        """Cancel a job."""

    async def gates(self) -> Sequence[GateRow]:
        """Return the pauses and rates."""

    async def repeats(self, limit: int) -> Sequence[RepeatState]:
        """Return the repeats, the next that is due first."""

    async def workers(self) -> Sequence[WorkerRow]:
        """Return the workers that live."""


class Pages:
    """Answers the requests that are allowed."""

    def __init__(self, source: JobSource, queue: str) -> None:
        """Keep the parts.

        Args:
            source: Where the jobs are.
            queue: The queue's name.
        """
        self._source = source
        self._queue = queue

    def app(self) -> Starlette:
        """Return the application."""
        return Starlette(
            routes=[
                Route("/", _home),
                Route("/assets/{name}", _asset),
                Route("/queue", _in_time(self._show_queue)),
                Route("/schedule", _in_time(self._show_schedule)),
                Route("/workers", _in_time(self._show_workers)),
                Route("/job/{job_id:path}", _in_time(self._show_job), methods=["GET"]),
                Route("/job/{job_id:path}", _in_time(self._cancel_job), methods=["DELETE"]),
            ]
        )

    def login(self, problem: str) -> Response:
        """Return the page that asks for the token."""
        return self._page("login.j2", problem=problem)

    async def _show_queue(self, request: Request) -> Response:
        status = _status(request.query_params.get("status", ""))
        name = request.query_params.get("name", "")
        jobs = await self._source.newest(status, MOST_ROWS)
        return self._page(
            "queue.j2",
            tab="queue",
            totals=await self._source.totals(),
            jobs=[job for job in jobs if name in ("", job.name)],
            names=sorted({job.name for job in jobs}),
            statuses=list(JobStatus),
            status="" if status is None else status.value,
            name=name,
            most=MOST_ROWS,
            url=str(request.url.replace(scheme="", netloc="")),
        )

    async def _show_job(self, request: Request) -> Response:
        return await self._job(request.path_params["job_id"], "")

    async def _cancel_job(self, request: Request) -> Response:
        job_id = request.path_params["job_id"]
        outcome = await self._source.cancel(job_id)
        return await self._job(job_id, _CANCEL_ANSWERS[outcome])

    async def _job(self, job_id: str, said: str) -> Response:
        job = await self._source.find(job_id)
        if job is None:
            return self._page("message.j2", code=404, said=_NO_JOB)
        return self._page("job.j2", job=job, said=said, result=_shown_result(job))

    async def _show_schedule(self, _: Request) -> Response:
        return self._page(
            "schedule.j2",
            tab="schedule",
            gates=(await self._source.gates())[:MOST_ROWS],
            repeats=await self._source.repeats(MOST_ROWS),
        )

    async def _show_workers(self, _: Request) -> Response:
        return self._page("workers.j2", tab="workers", workers=await self._source.workers())

    def _page(self, template: str, *, code: int = 200, **facts: object) -> Response:
        text = _templates().get_template(template).render(queue=self._queue, **facts)
        return HTMLResponse(text, status_code=code)


async def _home(_: Request) -> Response:
    return RedirectResponse("/queue", status_code=303)


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _ASSET_TYPES:
        return PlainTextResponse("there is no such file\n", status_code=404)
    headers = {"Cache-Control": "max-age=3600"}
    return Response(_file(name), media_type=_ASSET_TYPES[name], headers=headers)


def _in_time(
    answer: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def within(request: Request) -> Response:
        with trio.move_on_after(PATIENCE):
            return await answer(request)
        said = f"The queue's server gives no answer for {PATIENCE:g} s.\n"
        return PlainTextResponse(said, status_code=503)

    return within


@cache
def _file(name: str) -> bytes:
    return (files("ticketr.cluster.web") / "assets" / name).read_bytes()


@cache
def _templates() -> jinja2.Environment:
    # All that is shown of a job is a user's text: each value is escaped.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ticketr.cluster.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"line": clean, "path": _path, "count": _count, "moment": _time_text}
    environment.globals |= {"times": _times, "tab": ""}
    return environment


def _status(text: str) -> JobStatus | None:
    return JobStatus(text) if text in set(JobStatus) else None


def _path(job_id: str) -> str:
    return quote(job_id, safe="")


def _count(number: float) -> str:
    return f"{number:,.10g}"


def _time_text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _times(job: JobSnapshot) -> list[tuple[str, str]]:
    """Return the times of a job on the wall clock, each with its name."""
    known = job.as_dict()
    found = [(name, known[f"{name}_wall"]) for name in ("submitted", "due", "started", "finished")]
    return [(name, str(at).replace("T", " ")[:19]) for name, at in found if at is not None]


def _shown_result(job: JobSnapshot) -> str:
    if job.status is not JobStatus.COMPLETED:
        return ""
    text = json.dumps(job.as_dict()["result"], indent=2, ensure_ascii=False)
    if len(text) <= _LONGEST_RESULT:
        return text
    return f"{text[:_LONGEST_RESULT]}\n... ({len(text):,} characters)"
