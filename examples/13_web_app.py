"""A web app on Starlette and Hypercorn's Trio worker: submit a job, follow it, cancel it.

Start it with ``hypercorn --worker-class trio examples/13_web_app:app``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator  # noqa: TC003 - a short program
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request  # noqa: TC002 - a short program
from starlette.responses import JSONResponse, Response, StreamingResponse

from ticketr import JobHandle, QueueFull, open_job_queue
from ticketr.testing import FakeJob


async def submit(request: Request) -> Response:
    """Submit a job that takes 5 seconds, unless ten are pending already."""
    try:
        job = app.state.queue.submit_nowait(FakeJob(duration=5, steps=10))
    except QueueFull:
        return JSONResponse({"error": "try again later"}, 503, {"Retry-After": "5"})
    app.state.jobs[job.id] = job
    return JSONResponse({"id": job.id}, 202)


async def follow(request: Request) -> Response:
    """Send each change of a job as a server-sent event, up to its end."""
    if job := app.state.jobs.get(request.path_params["id"]):
        return StreamingResponse(events(job), media_type="text/event-stream")
    return JSONResponse({"error": "no such job"}, 404)


async def events(job: JobHandle[int]) -> AsyncGenerator[str]:
    """Write the changes as events."""
    with job.watch() as updates:
        async for now in updates:
            yield f"data: {now.status} {now.progress or ''}\n\n"


async def cancel(request: Request) -> Response:
    """Cancel a job and say what that did."""
    return JSONResponse({"outcome": app.state.queue.cancel(request.path_params["id"])})


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    """Open the queue while the server runs; at its end the jobs have 5 seconds."""
    async with open_job_queue(workers=4) as queue:
        app.state.queue, app.state.jobs = queue, {}
        yield
        await queue.shutdown(grace=5)


app = Starlette(lifespan=lifespan)
app.add_route("/jobs", submit, ["POST"])
app.add_route("/jobs/{id}", follow, ["GET"])
app.add_route("/jobs/{id}", cancel, ["DELETE"])
