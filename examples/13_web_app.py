"""A web app that submits, follows and cancels jobs, for ``hypercorn --worker-class trio``."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ticketr import JobHandle, QueueFull, UnknownJob, open_job_queue
from ticketr.testing import FakeJob


async def submit(request: Request) -> Response:
    """Submit a job that takes 5 seconds, unless ten are pending already."""
    try:
        job = app.state.queue.submit_nowait(FakeJob(duration=5, steps=10))
    except QueueFull:
        return JSONResponse({"error": "try again later"}, 503, {"Retry-After": "5"})
    return JSONResponse({"id": job.id}, 202)


async def follow(request: Request) -> Response:
    """Send each change of a job as a server-sent event, up to its end."""
    try:
        job = app.state.queue.handle(request.path_params["id"])
    except UnknownJob as error:
        return JSONResponse({"error": str(error)}, 404)
    return StreamingResponse(events(job), media_type="text/event-stream")


async def events(job: JobHandle[object]) -> AsyncGenerator[str]:
    """Write the changes as events."""
    with job.watch() as updates:
        async for now in updates:
            yield f"data: {json.dumps(now.as_dict())}\n\n"  # noqa: ASYNC119 - closed by the server


async def cancel(request: Request) -> Response:
    """Cancel a job and say what that did."""
    return JSONResponse({"outcome": app.state.queue.cancel(request.path_params["id"])})


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    """Open the queue while the server runs; at its end the jobs have 5 seconds."""
    async with open_job_queue(workers=4) as app.state.queue:
        yield
        await app.state.queue.shutdown(grace=5)


app = Starlette(lifespan=lifespan)
app.add_route("/jobs", submit, ["POST"])
app.add_route("/jobs/{id}", follow, ["GET"])
app.add_route("/jobs/{id}", cancel, ["DELETE"])
