"""Workers that end, are killed, or lose their line to RabbitMQ."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import TaskRevokedError
from fakes.celery_jobs import read_ledger
from fakes.celery_workers import LIMIT, Site, until
from fakes.cut_lines import CutLine
from fakes.rabbitmq import ADDRESS, RabbitMQ

from ticketr.celery import TrioPool

HEARTBEAT = 4
"""Seconds; RabbitMQ takes the jobs of a silent worker after two to three of these."""


@pytest.fixture
def line(rabbitmq: RabbitMQ) -> Iterator[CutLine]:
    line = CutLine(ADDRESS, rabbitmq.port)
    yield line
    line.close()


def test_sigterm_finishes_a_job_that_ends_within_the_grace(site: Site) -> None:
    worker = site.start_worker(worker_soft_shutdown_timeout=LIMIT)
    site.tasks.held.delay(site.ledger, "short")
    site.until("short", "start")

    worker.send(signal.SIGTERM)
    until(lambda: "Warm shutdown" in worker.log)
    site.let_go("short")

    assert worker.wait() == 0
    assert site.events("short") == ["start", "end"]


def test_sigterm_gives_back_a_job_that_does_not_end_within_the_grace(site: Site) -> None:
    worker = site.start_worker(worker_soft_shutdown_timeout=1.0)
    site.tasks.held.delay(site.ledger, "long")
    site.until("long", "start")

    code = worker.end()

    assert code == 0
    assert site.events("long") == ["start", "cancelled"]
    site.let_go("long")
    site.start_worker()
    site.until("long", "end")


def test_sigquit_gives_all_jobs_back(site: Site) -> None:
    worker = site.start_worker(worker_soft_shutdown_timeout=0.0)
    site.tasks.clean_up.delay(site.ledger, "long", 0.1)
    site.until("long", "start")

    code = worker.end(signal.SIGQUIT)

    assert code == 0
    assert site.events("long") == ["start", "cleaned"]
    site.start_worker()
    site.until("long", "start", 2)


def test_the_jobs_of_a_killed_worker_run_elsewhere(site: Site) -> None:
    worker, other = site.start_worker(), site.start_worker()
    for number in range(8):
        site.tasks.held.delay(site.ledger, f"job{number}")
    until(lambda: any(entry.pid == worker.pid for entry in read_ledger(site.ledger)))

    worker.end(signal.SIGKILL)

    site.let_go(*(f"job{number}" for number in range(8)))
    for number in range(8):
        site.until(f"job{number}", "end")
    ends = [entry for entry in read_ledger(site.ledger) if entry.event == "end"]
    assert len(ends) == 8
    assert other.is_alive


@pytest.mark.parametrize(("countdown", "options"), [(0, {"terminate": True}), (2, {})])
def test_a_job_that_waits_for_a_worker_can_be_revoked(
    site: Site, countdown: float, options: dict[str, Any]
) -> None:
    worker = site.start_worker(slots=1)
    site.tasks.held.delay(site.ledger, "first")
    site.until("first", "start")
    arguments = (site.ledger, "waiting", 0.1)
    waiting = site.tasks.work.apply_async(arguments, countdown=countdown)

    site.revoke(waiting.id, worker, **options)

    site.let_go("first")
    with pytest.raises(TaskRevokedError):
        waiting.get(timeout=LIMIT)
    site.until("first", "end")
    assert site.events("waiting") == []


def test_an_exit_in_a_job_ends_the_worker_and_loses_no_job(site: Site) -> None:
    worker = site.start_worker(worker_soft_shutdown_timeout=0.0)
    site.tasks.held.delay(site.ledger, "beside")
    site.until("beside", "start")
    exits = site.tasks.exit_once.delay(site.ledger, "exits")

    until(lambda: not worker.is_alive)

    assert worker.end() == 1
    site.let_go("beside")
    site.start_worker()
    assert exits.get(timeout=LIMIT) == "exits"
    site.until("beside", "end")


@pytest.mark.timeout(60)
def test_a_signal_in_the_submit_of_a_task_ends_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that runs while the executor starts a thread finds the lock of the executor held."""
    app = Celery("tests", set_as_current=False)
    pool = TrioPool(1, app=app)
    pool.start()
    start = threading.Thread.start  # noqa: TID251 - what the executor starts

    def start_with_a_signal(thread: Any) -> None:
        monkeypatch.undo()
        pool.stop()  # as Celery's handler of SIGQUIT does
        start(thread)

    monkeypatch.setattr("threading.Thread.start", start_with_a_signal)
    done: list[object] = []
    options = {"correlation_id": "a", "soft_timeout": None, "timeout": None}

    pool.on_apply(lambda: "a value", (), {}, done.append, lambda *_: None, **options)
    pool.terminate()  # as Celery's loop does after the handler

    assert done == ["a value"]


def test_a_restart_of_rabbitmq_loses_no_job(own_rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    site = Site(own_rabbitmq.url, tmp_path)
    worker = site.start_worker(slots=2)
    for number in range(4):
        site.tasks.held.delay(site.ledger, f"job{number}")
    site.until("job0", "start")

    own_rabbitmq.stop()
    site.until("job0", "cancelled")
    own_rabbitmq.start()

    site.let_go(*(f"job{number}" for number in range(4)))
    for number in range(4):
        site.until(f"job{number}", "end")
    assert worker.is_alive
    site.close()


def test_jobs_stop_before_rabbitmq_gives_them_to_another_worker(
    site: Site, line: CutLine, rabbitmq: RabbitMQ
) -> None:
    through = f"amqp://guest:guest@{ADDRESS}:{line.port}//"
    cut_off = site.start_worker(broker=through, broker_heartbeat=HEARTBEAT)
    site.tasks.held.delay(site.ledger, "job")
    site.tasks.held.delay(site.ledger, "another")
    site.until("job", "start")
    site.until("another", "start")
    other = site.start_worker()

    line.cut()
    site.until("job", "start", 2)
    site.until("another", "start", 2)

    for job in ("job", "another"):
        entries = [entry for entry in read_ledger(site.ledger) if entry.job == job]
        assert [entry.event for entry in entries] == ["start", "cancelled", "start"]
        assert [entry.pid for entry in entries] == [cut_off.pid, cut_off.pid, other.pid]
    line.mend()
    until(lambda: cut_off.log.count("Connected to") >= 2)


def test_a_job_that_comes_back_waits_until_its_old_run_has_cleaned_up(
    site: Site, line: CutLine
) -> None:
    through = f"amqp://guest:guest@{ADDRESS}:{line.port}//"
    site.start_worker(broker=through, broker_heartbeat=HEARTBEAT)
    site.tasks.clean_up.delay(site.ledger, "slow", 4.0)
    site.until("slow", "start")

    line.drop()
    site.until("slow", "start", 2)

    assert site.events("slow") == ["start", "cleaned", "start"]
