"""The programs that `cluster.py` measures, each a module for a worker and for a submitter.

Run as a program, a module submits so many jobs that do nothing, waits for their ends, and prints the
jobs per second and the CPU milliseconds of its own per job. Each has room for 50 submits at a time and
16 jobs at once. They are texts, since their packages are installed for the benchmark alone.
"""

from __future__ import annotations

from dataclasses import dataclass

PRINT = "print(n / (time.perf_counter() - t), (time.process_time() - c) / n * 1e3)"

OURS = f"""
import os, sys, time, trio
from ticketr import Keep
from ticketr.cluster import open_cluster_queue

async def noop(context, v):
    return v

async def main(n):
    async with open_cluster_queue(
        os.environ["URL"], name="bench", keep=Keep(jobs=100_000)
    ) as queue:
        t, c = time.perf_counter(), time.process_time()
        room, handles = trio.CapacityLimiter(50), []
        async def put(i):
            async with room:
                handles.append(await queue.submit(noop, i))
        async with trio.open_nursery() as nursery:
            for i in range(n):
                nursery.start_soon(put, i)
        assert sorted([await h.result() for h in handles]) == list(range(n))
        {PRINT}

if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]))
"""

STREAQ = f"""
import os, sys, time, trio
from streaq import Worker

worker = Worker(redis_url=os.environ["URL"], queue_name="bench", anyio_backend="trio",
                concurrency=16, signing_secret="x" * 32)

@worker.task(name="noop", silent=True)
async def noop(v):
    return v

async def main(n):
    async with worker:
        t, c = time.perf_counter(), time.process_time()
        room = trio.CapacityLimiter(50)
        async def put(i):
            async with room:
                await noop.enqueue(i)
        async with trio.open_nursery() as nursery:
            for i in range(n):
                nursery.start_soon(put, i)
        while await worker.redis.zcard(worker._results_set) < n:
            await trio.sleep(0.01)
        {PRINT}

if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]))
"""

SAQ = f"""
import asyncio, os, sys, time
from saq import Queue

queue = Queue.from_url(os.environ["URL"], name="bench")

async def noop(ctx, *, v):
    return v

settings = {{"queue": queue, "functions": [noop], "concurrency": 16}}

async def main(n):
    await queue.connect()
    t, c = time.perf_counter(), time.process_time()
    room = asyncio.Semaphore(50)
    async def put(i):
        async with room:
            await queue.enqueue("noop", v=i, timeout=60)
    await asyncio.gather(*[put(i) for i in range(n)])
    while await queue.count("incomplete"):
        await asyncio.sleep(0.02)
    {PRINT}
    await queue.disconnect()

if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
"""

ARQ = f"""
import asyncio, os, sys, time
from arq import create_pool
from arq.connections import RedisSettings

async def noop(ctx, v):
    return v

class WorkerSettings:
    functions = [noop]
    max_jobs = 16
    poll_delay = 0.01
    queue_name = "bench"
    redis_settings = RedisSettings.from_dsn(os.environ["URL"])
    health_check_interval = 60

async def main(n):
    pool = await create_pool(WorkerSettings.redis_settings, default_queue_name="bench")
    t, c = time.perf_counter(), time.process_time()
    room = asyncio.Semaphore(50)
    async def put(i):
        async with room:
            await pool.enqueue_job("noop", i)
    await asyncio.gather(*[put(i) for i in range(n)])
    while len(await pool.keys("arq:result:*")) < n:
        await asyncio.sleep(0.02)
    {PRINT}
    await pool.aclose()

if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
"""

TASKIQ = f"""
import asyncio, os, sys, time
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

broker = RedisStreamBroker(os.environ["URL"], queue_name="bench").with_result_backend(
    RedisAsyncResultBackend(os.environ["URL"]))

@broker.task(task_name="noop")
async def noop(v: int) -> int:
    return v

async def main(n):
    await broker.startup()
    t, c = time.perf_counter(), time.process_time()
    room = asyncio.Semaphore(50)
    async def put(i):
        async with room:
            return await noop.kiq(i)
    tasks = await asyncio.gather(*[put(i) for i in range(n)])
    async def get(task):
        async with room:
            return (await task.wait_result(check_interval=0.02, timeout=120)).return_value
    assert sorted(await asyncio.gather(*[get(task) for task in tasks])) == list(range(n))
    {PRINT}
    await broker.shutdown()

if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
"""


@dataclass(frozen=True)
class Peer:
    """One way to run jobs.

    Attributes:
        name: What the table calls it.
        program: The module, named `peer_` and the name.
        worker: The words that start a worker, after the environment's `bin` folder.
        packages: What pip installs for it; empty for what this environment has.
    """

    name: str
    program: str
    worker: tuple[str, ...]
    packages: tuple[str, ...] = ()


URL, MODULE = "{url}", "{module}"
PEERS = (
    Peer(
        "ours",
        OURS,
        (
            *("python", "-m", "ticketr.cluster", "worker", "--url", URL, "--name", "bench"),
            *("--workers", "16", MODULE),
        ),
    ),
    Peer("streaq", STREAQ, ("python", "-m", "streaq", "run", f"{MODULE}:worker")),
    Peer("saq", SAQ, ("saq", f"{MODULE}.settings"), ("saq[redis]", "typing-extensions")),
    Peer("arq", ARQ, ("arq", f"{MODULE}.WorkerSettings"), ("arq",)),
    Peer(
        "taskiq",
        TASKIQ,
        (
            *("taskiq", "worker", f"{MODULE}:broker", "--workers", "1"),
            *("--max-async-tasks", "16", "--log-level", "ERROR"),
        ),
        ("taskiq", "taskiq-redis"),
    ),
)
