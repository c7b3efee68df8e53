"""Kills, restarts and cut lines: no job that RabbitMQ has acknowledged is lost."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from celery.exceptions import OperationalError
from fakes.celery_app import Tasks
from fakes.celery_jobs import read_ledger
from fakes.celery_workers import Site, Worker, pause, until
from fakes.cut_lines import CutLine
from fakes.rabbitmq import ADDRESS, RabbitMQ


@dataclass
class Outcome:
    """What the ledger says after a campaign.

    Attributes:
        acknowledged: How many jobs RabbitMQ has taken.
        lost: Those of them that never came to their end.
        started_again: How many jobs were started more than once.
        twice_at_once: Jobs that ran in two living workers at a time.
        restarts: Seconds from the death of a worker to the next start of its job.
    """

    acknowledged: int
    lost: list[str] = field(default_factory=list)
    started_again: int = 0
    twice_at_once: list[str] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        again = median(self.restarts) if self.restarts else 0.0
        return (
            f"{self.acknowledged} acknowledged, {len(self.lost)} lost,"
            f" {self.started_again} started again, {len(self.twice_at_once)} twice at once,"
            f" {again:.2f} s from a worker's death to the next start"
            f" (median of {len(self.restarts)})"
        )


class Campaign:
    """Three workers, one of them and one of two submitters behind a line that can be cut."""

    def __init__(self, site: Site, node: RabbitMQ, seed: int, slots: int) -> None:
        self._site, self._node, self._slots = site, node, slots
        self._random = random.Random(seed)
        self.line = CutLine(ADDRESS, node.port)
        self._far = f"amqp://guest:guest@{ADDRESS}:{self.line.port}//"
        self._workers = [self._start(number) for number in range(3)]
        for worker in self._workers:
            worker.until_ready()
        self.deaths: dict[int, float] = {}
        self._acknowledged: list[str] = []
        self._doubtful: set[str] = set()

    def _start(self, number: int) -> Worker:
        broker = self._far if number == 2 else ""
        return self._site.launch_worker(slots=self._slots, broker=broker)

    def submit(self, executor: Executor, jobs: int, seconds: float) -> list[Future[None]]:
        """Submit half of the jobs directly, and half of them through the line."""
        far = Tasks(self._far, self._site.queue)
        half = jobs // 2
        return [
            executor.submit(self._submit, self._site.tasks, range(half), seconds),
            executor.submit(self._submit, far, range(half, jobs), seconds),
        ]

    def _submit(self, tasks: Tasks, numbers: range, seconds: float) -> None:
        for number in numbers:
            arguments = (self._site.ledger, f"job{number}", seconds)
            while True:
                try:
                    tasks.work.apply_async(arguments, ignore_result=True)
                except (OperationalError, OSError):
                    self._doubtful.add(f"job{number}")  # RabbitMQ may have it, and gets it again
                    pause()
                else:
                    self._acknowledged.append(f"job{number}")
                    break
        tasks.close()

    def kill(self, times: int, least: float, most: float) -> None:
        """Kill workers, and start others in their place."""
        for _ in range(times):
            threading.Event().wait(self._random.uniform(least, most))
            number = self._random.randrange(3)
            worker = self._workers[number]
            self.deaths[worker.pid] = time.time()
            worker.end(signal.SIGKILL)
            self._workers[number] = self._start(number)

    def restart_node(self) -> None:
        """Stop RabbitMQ, and start it again."""
        self._node.stop()
        self._node.start()

    def finish(self, submits: Iterable[Future[None]], jobs: int) -> None:
        """Wait until all jobs are submitted and have come to their end."""
        for submit in submits:
            submit.result()
        until(lambda: len(self._ended()) >= jobs)
        self.line.close()

    def _ended(self) -> set[str]:
        threading.Event().wait(0.2)
        return {entry.job for entry in read_ledger(self._site.ledger) if entry.event == "end"}

    def outcome(self) -> Outcome:
        """Read the ledger."""
        ended = self._ended()
        result = Outcome(len(self._acknowledged))
        result.lost = [job for job in self._acknowledged if job not in ended]
        runs: dict[str, list[Any]] = defaultdict(list)
        for entry in read_ledger(self._site.ledger):
            runs[entry.job].append(entry)
        for job, entries in runs.items():
            starts = [entry for entry in entries if entry.event == "start"]
            result.started_again += len(starts) > 1
            running: set[int] = set()
            for entry in entries:
                if entry.event != "start":
                    running.discard(entry.pid)
                    continue
                dead = {pid for pid in running if self.deaths.get(pid, entry.at + 1) <= entry.at}
                result.restarts += [entry.at - self.deaths[pid] for pid in dead]
                running -= dead
                if running and job not in self._doubtful:
                    result.twice_at_once.append(job)
                running.add(entry.pid)
        return result


@pytest.mark.unmeasured
def test_killed_workers_lose_no_job(site: Site, rabbitmq: RabbitMQ) -> None:
    campaign = Campaign(site, rabbitmq, seed=1, slots=8)
    with ThreadPoolExecutor() as executor:
        submits = campaign.submit(executor, jobs=60, seconds=0.5)
        campaign.kill(2, 0.3, 0.6)
        campaign.finish(submits, 60)

    outcome = campaign.outcome()

    assert outcome.acknowledged == 60
    assert outcome.lost == []


@pytest.mark.stress
@pytest.mark.timeout(900)
def test_a_campaign_of_kills_cuts_and_a_restart_loses_no_job(
    own_rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    site = Site(own_rabbitmq.url, tmp_path, broker_heartbeat=10)
    campaign = Campaign(site, own_rabbitmq, seed=1, slots=16)
    with ThreadPoolExecutor() as executor:
        submits = campaign.submit(executor, jobs=2000, seconds=2.0)
        campaign.kill(10, 0.8, 2.6)
        campaign.restart_node()
        campaign.kill(10, 0.8, 2.6)
        campaign.finish(submits, 2000)
    outcome = campaign.outcome()
    sys.stdout.write(f"\nkills: {outcome}\n")
    site.close()

    assert outcome.acknowledged == 2000
    assert outcome.lost == []


@pytest.mark.stress
@pytest.mark.timeout(600)
def test_a_cut_of_45_s_loses_no_job_and_runs_none_twice_at_once(
    own_rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    site = Site(own_rabbitmq.url, tmp_path, broker_heartbeat=10)
    campaign = Campaign(site, own_rabbitmq, seed=1, slots=8)
    with ThreadPoolExecutor() as executor:
        submits = campaign.submit(executor, jobs=600, seconds=3.0)
        until(lambda: len(read_ledger(site.ledger)) > 60)
        campaign.line.cut()
        threading.Event().wait(45)
        campaign.line.mend()
        campaign.finish(submits, 600)
    outcome = campaign.outcome()
    sys.stdout.write(f"\ncut: {outcome}\n")
    site.close()

    assert outcome.acknowledged == 600
    assert outcome.lost == []
    assert outcome.twice_at_once == []


@pytest.mark.stress
@pytest.mark.timeout(300)
def test_300_cancels_of_waiting_and_running_jobs(site: Site) -> None:
    for _ in range(3):
        site.launch_worker(slots=4)
    for worker in site.workers:
        worker.until_ready()
    chance = random.Random(2)
    submit = site.tasks.work.apply_async
    seconds = [chance.uniform(0.1, 1.2) for _ in range(300)]
    results = [
        submit((site.ledger, f"job{number}", length), ignore_result=True)
        for number, length in enumerate(seconds)
    ]
    revoked: dict[str, float] = {}
    for number in chance.sample(range(300), 300):
        threading.Event().wait(chance.uniform(0, 0.1))
        results[number].revoke(terminate=True)
        revoked[f"job{number}"] = time.time()
    settled = site.tasks.add.delay(1)  # behind all others
    settled.get(timeout=120)
    entries = read_ledger(site.ledger)
    late = {e.job for e in entries if e.event == "start" and e.at > revoked[e.job] + 0.1}
    ended = {e.job for e in entries if e.event == "end" and e.at > revoked[e.job] + 1}
    stops = sorted(e.at - revoked[e.job] for e in entries if e.event == "cancelled")
    events = Counter(entry.event for entry in entries)
    sys.stdout.write(
        f"\ncancels: {dict(events)}, {300 - events['start']} never started,"
        f" {len(late)} started and {len(ended)} ended afterwards,"
        f" stopped after {stops[len(stops) // 2] * 1000:.0f} ms (median),"
        f" {stops[-1] * 1000:.0f} ms (longest)\n"
    )

    assert not late
    assert not ended
