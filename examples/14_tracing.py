"""Trace each attempt of a job with OpenTelemetry, below the span in which it was submitted."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ticketr import JobContext, Retry, open_job_queue

SPANS = InMemorySpanExporter()  # in real life, an exporter to your collector
PROVIDER = TracerProvider()
PROVIDER.add_span_processor(SimpleSpanProcessor(SPANS))
TRACER = PROVIDER.get_tracer("shop")


@asynccontextmanager
async def span(context: JobContext) -> AsyncGenerator[None]:
    """Put a span around an attempt; it records the error that the attempt ends with."""
    facts: dict[str, str | int] = {"job.id": context.id, "job.attempt": context.attempt}
    with TRACER.start_as_current_span(context.name, attributes=facts):
        yield


async def pack(context: JobContext, order: int) -> None:
    """Pack an order. A span that the job opens is a child of that around it."""
    await trio.sleep(1)
    if order == 2 and context.attempt == 1:
        raise ConnectionError("the label printer does not answer")
    with TRACER.start_as_current_span("print the label"):
        await trio.sleep(0.5)


async def main() -> None:
    """Submit two orders, each from a span as a web framework opens one for a request."""
    async with open_job_queue(around=span, retry=Retry(2, first=1)) as queue:
        for order in (1, 2):
            with TRACER.start_as_current_span(f"POST /orders/{order}"):
                await queue.submit(pack, order)

    names = {done.context.span_id: done.name for done in SPANS.get_finished_spans() if done.context}
    for done in SPANS.get_finished_spans():
        below = f", below {names[done.parent.span_id]!r}" if done.parent else ""
        attempt = (done.attributes or {}).get("job.attempt")
        which = f", attempt {attempt}" if attempt else ""
        print(f"{done.name}{which}{below}: {done.status.status_code.name}")


if __name__ == "__main__":
    trio.run(main)
