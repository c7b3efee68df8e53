"""Kill workers, stop the server and cut lines: no job is lost, and none starts again for nothing.

A ledger to which all jobs append says what ran. `make stress` runs the campaign in full and prints
its figures (``pytest -s``).
"""

from __future__ import annotations

import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import procrastinate
import psycopg
import pytest
from fakes.cut_lines import CutLine
from fakes.engines import Engine
from fakes.postgres import Postgres, skip_without_postgres

pytestmark = pytest.mark.unmeasured


@dataclass
class Plan:
    """How much is to happen."""

    jobs: int
    seconds: float
    kills: int
    pause: float
    limit: float
    restart: bool = False
    cut: float = 0.0
    slots: int = 5


@dataclass
class Outages:
    """What happened when, on the wall clock."""

    killed: dict[int, float] = field(default_factory=dict)
    down: list[tuple[float, float]] = field(default_factory=list)
    cut: list[tuple[int, float, float]] = field(default_factory=list)


class Submitter:
    """Submits job after job over a line that may be cut, and notes which are acknowledged."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.acknowledged: list[str] = []
        self.refused = 0
        self._thread = threading.Thread(target=self._run)  # noqa: TID251 - there is no Trio here
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(0.2):
            number += 1
            try:
                with procrastinate.App(
                    connector=procrastinate.SyncPsycopgConnector(
                        conninfo=self._url, timeout=2, min_size=1, max_size=1
                    )
                ).open() as app:
                    task = app.configure_task("fakes.engine_jobs.work")
                    task.defer(name=f"late{number}", seconds=0.05)
                self.acknowledged.append(f"late{number}")
            except (procrastinate.exceptions.ConnectorException, psycopg.OperationalError):
                self.refused += 1

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def campaign_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    skip_without_postgres()
    server = Postgres(fsync=request.node.get_closest_marker("stress") is not None)
    engine = Engine(server, tmp_path)
    yield engine
    engine.close()
    server.remove()


def run_campaign(engine: Engine, plan: Plan, seed: int) -> tuple[set[str], Outages, Submitter]:
    """Run the plan, and wait until all jobs have ended."""
    dice, outages = random.Random(seed), Outages()
    lines = [CutLine("127.0.0.1", engine.server.port) for _ in range(2)]
    through = [engine.server.url(engine.database, line.port) for line in lines]
    options = ("--concurrency", str(plan.slots), "--heartbeat-limit", str(plan.limit))
    workers = [engine.worker(*options, url=url) for url in (through[0], engine.url, engine.url)]
    engine.work(plan.jobs, plan.seconds)
    submitter = Submitter(through[1])
    engine.until(lambda: engine.count("start") > plan.slots)
    for number in range(plan.kills):
        time.sleep(dice.uniform(plan.pause, 2 * plan.pause))  # noqa: TID251 - real processes
        # The line of the first worker is cut later: it has to live then.
        victim = dice.randrange(3)
        workers[victim].kill()
        workers[victim].wait()
        outages.killed[workers[victim].pid] = time.time()
        workers[victim] = engine.worker(*options, url=through[0] if victim == 0 else engine.url)
        if plan.restart and number == plan.kills // 2:
            down = time.time()
            engine.server.stop()
            time.sleep(3)  # noqa: TID251 - real processes
            engine.server.start()
            outages.down.append((down, time.time()))
    if plan.cut:
        for line in lines:
            line.cut()
        down = time.time()
        time.sleep(plan.cut)  # noqa: TID251 - a real line
        for line in lines:
            line.mend()
        outages.cut.append((workers[0].pid, down, time.time()))
        time.sleep(3)  # noqa: TID251 - the submitter goes on
    submitter.stop()
    engine.until(engine.ended, 400)
    for line in lines:
        line.close()
    names = {f"job{number}" for number in range(plan.jobs)} | {*submitter.acknowledged}
    return names, outages, submitter


def unjustified(engine: Engine, outages: Outages, limit: float) -> list[str]:
    """Return the jobs that were started again although their worker lived and had its line."""
    wrong = []
    for name, events in engine.events().items():
        events.sort(key=lambda event: event[2])
        starts = [event for event in events if event[0] == "start"]
        for (_, pid, _), (_, _, again) in itertools.pairwise(starts):
            # What ended or was stopped without a word to the engine may start again, too.
            was_down = any(
                down - 1 <= again and again <= up + 4 * limit for down, up in outages.down
            )
            was_cut = any(
                pid == cut and down - 1 <= again <= up + 4 * limit for cut, down, up in outages.cut
            )
            if not (outages.killed.get(pid, again + 1) <= again or was_down or was_cut):
                wrong.append(f"{name}: {events}")
    return wrong


def overlaps(engine: Engine, outages: Outages) -> list[str]:
    """Return the jobs that ran in two living processes at once."""
    twice = []
    for name, events in engine.events().items():
        running = set[int]()
        for what, pid, at in sorted(events, key=lambda event: event[2]):
            running = {one for one in running if outages.killed.get(one, at + 1) > at}
            if what == "start":
                if running:
                    twice.append(f"{name}: {events}")
                running.add(pid)
            else:
                running.discard(pid)
    return twice


def check(engine: Engine, plan: Plan, seed: int) -> None:
    names, outages, submitter = run_campaign(engine, plan, seed)
    events = engine.events()
    ended = {name for name, lines in events.items() if any(what == "end" for what, *_ in lines)}
    again = [lines for lines in events.values() if sum(what == "start" for what, *_ in lines) > 1]
    waits = sorted(
        start[2] - outages.killed[before[1]]
        for lines in again
        for before, start in itertools.pairwise([line for line in lines if line[0] == "start"])
        if before[1] in outages.killed
    )
    print(  # noqa: T201 - the figures
        f"\njobs {len(names)}, kills {len(outages.killed)}, lost {len(names - ended)},"
        f" started again {len(again)}, submits refused {submitter.refused},"
        f" statuses {engine.statuses()}"
        + (
            f", death to restart min {waits[0]:.1f} median {statistics.median(waits):.1f}"
            f" max {waits[-1]:.1f} s"
            if waits
            else ""
        )
    )

    assert names - ended == set()
    assert overlaps(engine, outages) == []
    assert unjustified(engine, outages, plan.limit) == []


def test_a_sample_of_kills_loses_no_job(campaign_engine: Engine) -> None:
    # A worker that stands still for 3/4 of the limit stops its jobs, which start again then.
    plan = Plan(jobs=60, seconds=0.2, kills=2, pause=0.5, limit=20)

    check(campaign_engine, plan, seed=7)


@pytest.mark.stress
@pytest.mark.timeout(900)
def test_kills_a_restart_and_cut_lines_lose_no_job(campaign_engine: Engine) -> None:
    plan = Plan(jobs=2000, seconds=0.5, kills=20, pause=2, limit=10, restart=True, cut=45)

    check(campaign_engine, plan, seed=int(os.environ.get("SEED", "1")))


CANCEL = """
import json, random, sys, time, procrastinate
app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=sys.argv[1])).open()
dice = random.Random(int(sys.argv[2]))
print("ready", flush=True)
jobs = json.loads(sys.stdin.readline())
dice.shuffle(jobs)
for job in jobs:
    time.sleep(dice.uniform(0, 0.04))
    abort = dice.random() < 0.5
    print(job, int(abort), int(app.job_manager.cancel_job_by_id(job, abort=abort)), flush=True)
app.close()
"""


@pytest.mark.parametrize("count", [30, pytest.param(300, marks=pytest.mark.stress)])
def test_no_job_is_cancelled_and_run(engine: Engine, count: int) -> None:
    for _ in range(2):
        engine.worker("--concurrency", "4")
    held = engine.hold(*(f"held{number}" for number in range(8)))
    engine.until(lambda: engine.count("start") == 8)
    with subprocess.Popen(
        [sys.executable, "-c", CANCEL, engine.url, "11"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        answers = []
        other.stdin.write(json.dumps([*held, *engine.work(count, 0.2)]) + "\n")
        other.stdin.flush()
        for line in other.stdout:
            answers.append(line)
            job, abort, _ = map(int, line.split())
            if abort and job in held:  # one that waited was cancelled before: the dice fell so
                engine.let_go(*(f"held{number}" for number in range(8)))
    engine.until(engine.ended)

    with psycopg.connect(engine.url) as connection:
        query = "SELECT id, status::text, args->>'name' FROM procrastinate_jobs"
        rows = {job: (status, name) for job, status, name in connection.execute(query).fetchall()}
    events, tally = engine.events(), dict[tuple[str, str, str], int]()
    for line in answers:
        job, abort, answer = map(int, line.split())
        status, name = rows[job]
        did = [what for what, *_ in events.get(name, [])]
        asked = "abort" if abort else "cancel"
        key = (asked, "yes" if answer else "no", status)
        tally[key] = tally.get(key, 0) + 1
        if status == "cancelled":
            assert did == []
        elif status == "aborted":
            assert did in ([], ["start", "cancel"], ["start"]), line
        elif answer and not abort:
            pytest.fail(f"{line}: answered as cancelled, and {status}: {did}")
    assert {"cancelled", "aborted"} <= {status for *_, status in tally}
    print(f"\ncancels: {tally}")  # noqa: T201 - the figures
