"""Give the numbers of a queue to Prometheus whenever it asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import trio
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ticketr import JobQueue, open_job_queue
from ticketr.testing import FakeJob

COUNTERS = {
    "job_wait_seconds": "How long jobs that were due waited for their attempts",
    "job_run_seconds": "How long the attempts took that have ended",
}


class QueueCollector(Collector):
    """Reads ``queue.statistics()``, which takes a few microseconds."""

    def __init__(self, queue: JobQueue) -> None:
        self.queue = queue

    def collect(self) -> Iterator[Metric]:
        """Return the numbers as they are now. Call it in the thread of Trio."""
        now = self.queue.statistics()
        yield GaugeMetricFamily("job_workers", "Workers of the queue", now.workers)
        live = GaugeMetricFamily("jobs", "Jobs that have not ended", labels=["status"])
        ended = CounterMetricFamily("jobs_ended", "Jobs that have ended", labels=["status"])
        for status in ("pending", "running"):
            live.add_metric([status], getattr(now, status))
        for status in ("completed", "failed", "cancelled"):
            ended.add_metric([status], getattr(now, status))
        yield live
        yield ended
        for name, meaning in COUNTERS.items():
            yield CounterMetricFamily(name, meaning, getattr(now, name.removeprefix("job_")))


async def main() -> None:
    """Run some jobs and print what a web app would answer at ``/metrics``."""
    registry = CollectorRegistry()
    async with open_job_queue(workers=2, on_job_error=lambda _: None) as queue:
        registry.register(QueueCollector(queue))
        for seconds in (4, 4, 3, 60):
            await queue.submit(FakeJob(duration=seconds, steps=1))
        await queue.submit(FakeJob(steps=1, fail=OSError("disk full")), delay=5)
        await trio.sleep(10)
        lines = generate_latest(registry).decode().splitlines()
        print(*(line for line in lines if not line.startswith("#")), sep="\n")
        queue.cancel_all()


if __name__ == "__main__":
    trio.run(main)
