"""Log with structlog: each line of a job names the job, and the queue's own lines have fields."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
import trio
from structlog.stdlib import ProcessorFormatter

from ticketr import JobContext, Retry, open_job_queue

log = structlog.stdlib.get_logger("shop")


def set_up_logging() -> None:
    """Write the lines of structlog and of ``logging``, as those of ``ticketr.jobs`` are."""
    shared = [structlog.contextvars.merge_contextvars, structlog.stdlib.add_log_level]
    wrap = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    structlog.configure(processors=[*shared, wrap], logger_factory=structlog.stdlib.LoggerFactory())
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(["job_name", "job_seconds"])],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.KeyValueRenderer(sort_keys=True, key_order=["level", "event"]),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


@asynccontextmanager
async def log_fields(context: JobContext) -> AsyncGenerator[None]:
    """Add the job and the attempt to all that is logged inside, also by libraries."""
    with structlog.contextvars.bound_contextvars(job=context.id, attempt=context.attempt):
        yield


async def pack(context: JobContext, order: int) -> None:
    """Pack an order; the first attempt fails."""
    log.info("packing", order=order)
    await trio.sleep(1.5)
    if context.attempt == 1:
        raise ConnectionError("the label printer does not answer")


async def main() -> None:
    """Pack an order."""
    set_up_logging()
    async with open_job_queue(around=log_fields, retry=Retry(2, first=1, jitter=0)) as queue:
        await queue.submit(pack, 7)


if __name__ == "__main__":
    trio.run(main)
