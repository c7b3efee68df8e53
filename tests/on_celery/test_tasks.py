"""Trio functions as tasks, in a worker that lives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import (
    NotRegistered,
    SoftTimeLimitExceeded,
    TaskRevokedError,
    TimeLimitExceeded,
)
from fakes import celery_jobs
from fakes.celery_app import Tasks
from fakes.celery_jobs import read_ledger
from fakes.celery_workers import LIMIT, Site, until

from ticketr import JobContext, NotSendable, QueueClosed, SqliteStore, open_job_queue
from ticketr.celery import TrioRequest, durable_settings, trio_task


@pytest.fixture
def site(busy_site: Site) -> Site:
    return busy_site


@pytest.fixture
def offline() -> Iterator[Tasks]:
    """Return tasks whose broker cannot be reached."""
    tasks = Tasks("amqp://127.0.0.1:1//", "offline")
    yield tasks
    tasks.close()


def test_a_task_returns_the_value_of_its_function(site: Site) -> None:
    result = site.tasks.add.delay(1, second=2)

    assert result.get(timeout=LIMIT) == 3


def test_a_task_of_celery_runs_beside_trio_tasks(site: Site) -> None:
    site.let_go("at once")

    result = site.tasks.block.delay(str(celery_jobs.gate_of(site.ledger, "at once")))

    assert result.get(timeout=LIMIT) == "blocked"


def test_a_chain_passes_values_on(site: Site) -> None:
    chain: Any = site.tasks.add.s(1) | site.tasks.add.s(10)

    assert chain.apply_async().get(timeout=LIMIT) == 12


def test_progress_is_a_state_at_most_twice_a_second(site: Site) -> None:
    messages: list[dict[str, Any]] = []

    result = site.tasks.work.delay(site.ledger, "reports", 1.8)
    result.get(timeout=LIMIT, on_message=messages.append)

    states = [message["result"] for message in messages if message["status"] == "PROGRESS"]
    began, ended = (entry.at for entry in read_ledger(site.ledger) if entry.job == "reports")
    assert 1 <= len(states) <= 1 + 2 * (ended - began)  # of ten reports
    assert states[0]["total"] == 10
    assert states[0]["message"] == "working"


def test_a_retry_sees_the_error_of_the_function(site: Site) -> None:
    result = site.tasks.fail_at_first.delay(site.ledger, "recovers", 2)

    assert result.get(timeout=LIMIT) == 3


def test_the_error_of_the_last_retry_is_that_of_the_function(site: Site) -> None:
    result = site.tasks.fail_at_first.delay(site.ledger, "fails", 9)

    with pytest.raises(ConnectionError, match="attempt 3 of fails"):
        result.get(timeout=LIMIT)


def test_revoke_cancels_a_running_job(site: Site) -> None:
    result = site.tasks.work.delay(site.ledger, "revoked", 600.0)
    site.until("revoked", "start")

    result.revoke(terminate=True)

    with pytest.raises(TaskRevokedError, match="terminated"):
        result.get(timeout=LIMIT)
    site.until("revoked", "cancelled")


def test_a_revoked_job_cleans_up(site: Site) -> None:
    result = site.tasks.clean_up.delay(site.ledger, "cleans", 0.1)
    site.until("cleans", "start")

    result.revoke(terminate=True)

    site.until("cleans", "cleaned")


def test_revoke_says_that_it_cannot_stop_a_task_that_blocks_a_thread(site: Site) -> None:
    result = site.tasks.block.delay(str(celery_jobs.gate_of(site.ledger, "blocks")))
    inspect = site.tasks.app.control.inspect(timeout=LIMIT, limit=1)
    until(lambda: "'active'" in str(inspect.query_task(result.id)))

    answer = site.revoke(result.id, site.workers[0], terminate=True)

    assert "does not implement kill_job" in answer
    site.let_go("blocks")
    assert result.get(timeout=LIMIT) == "blocked"


def test_revoke_of_a_job_that_no_worker_has_yet_keeps_it_from_starting(site: Site) -> None:
    site.revoke("the job", site.workers[0])

    result = site.tasks.work.apply_async((site.ledger, "early", 0.0), task_id="the job")

    with pytest.raises(TaskRevokedError, match="revoked"):
        result.get(timeout=LIMIT)
    assert site.events("early") == []


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"soft_time_limit": 0.5}, SoftTimeLimitExceeded),
        ({"time_limit": 0.5}, TimeLimitExceeded),
        ({"soft_time_limit": 0.5, "time_limit": 60}, SoftTimeLimitExceeded),
    ],
)
def test_a_time_limit_cancels_the_job(
    site: Site, limits: dict[str, float], error: type[Exception]
) -> None:
    name = "-".join(limits)

    result = site.tasks.work.apply_async((site.ledger, name, 600.0), **limits)

    with pytest.raises(error, match=r"0\.5"):
        result.get(timeout=LIMIT)
    assert site.events(name) == ["start", "cancelled"]


def test_a_delay_of_a_part_of_a_second_is_a_second(site: Site) -> None:
    result = site.tasks.add.apply_async((1,), countdown=0.2)

    assert result.get(timeout=LIMIT) == 2


def test_an_error_of_the_jobs_own_queue_is_its_error(site: Site) -> None:
    worker = site.start_worker()

    with pytest.raises(QueueClosed):
        site.tasks.use_closed_queue.delay().get(LIMIT)

    assert site.tasks.add.delay(1).get(LIMIT) == 2
    assert worker.end() == 0


def test_a_task_that_the_worker_lacks_fails_by_its_name(site: Site) -> None:
    result = site.tasks.app.send_task("missing.task")

    with pytest.raises(NotRegistered, match=r"missing\.task"):
        result.get(timeout=LIMIT)


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        (
            ((1, 2),),
            {},
            r"argument 1 cannot be sent: \(1, 2\) would come back from JSON as \[1, 2\]",
        ),
        ((1,), {"second": {1: 2}}, "argument 'second' cannot be sent: {1: 2} would come back"),
        ((object,), {}, "argument 1 cannot be sent: <class 'object'> is not JSON"),
    ],
)
def test_an_argument_that_json_changes_is_refused(
    offline: Tasks, args: tuple[Any, ...], kwargs: dict[str, Any], words: str
) -> None:
    with pytest.raises(NotSendable, match=words):
        offline.add.apply_async(args, kwargs)


def test_celery_checks_the_arguments_that_follow_the_context(offline: Tasks) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'first'"):
        offline.add.delay()


def test_a_task_has_the_name_of_its_function(offline: Tasks) -> None:
    assert offline.add.name == "fakes.celery_jobs.add"


def test_a_task_that_is_called_elsewhere_names_the_pool(offline: Tasks) -> None:
    with pytest.raises(RuntimeError, match=r"worker_pool = 'ticketr\.celery:TrioPool'"):
        offline.add.apply((1,)).get()


def test_a_task_is_an_async_function(offline: Tasks) -> None:
    def blocking(context: JobContext) -> None: ...

    with pytest.raises(TypeError, match="a Trio task is an async function"):
        trio_task(offline.app)(blocking)  # type: ignore[arg-type]


def test_the_settings_accept_json_alone() -> None:
    settings = durable_settings("jobs", longest_job=3600)

    assert settings["accept_content"] == ["json"]
    assert settings["task_queues"][0].queue_arguments["x-consumer-timeout"] == 3_600_000


async def test_the_same_function_runs_in_a_queue(tmp_path: Path) -> None:
    ledger = str(tmp_path / "ledger")

    async with open_job_queue(store=SqliteStore(tmp_path / "jobs.sqlite")) as queue:
        handle = await queue.submit(celery_jobs.work, ledger, "stored", 0.0)

        assert await handle.result() == "stored"


async def nothing(context: object) -> None: ...


def test_two_threads_acknowledge_a_message_once() -> None:
    """Both Celery's thread and that of the job do, if it is revoked; twice would end the worker."""
    app = Celery(set_as_current=False)
    task = trio_task(app, shared=False)(nothing)
    message = SimpleNamespace(delivery_info={}, properties={})
    acknowledged: list[object] = []
    both = threading.Event()

    def on_ack(*_: object) -> None:
        acknowledged.append(_)
        if len(acknowledged) == 2:
            both.set()
        both.wait(0.2)  # gives the other thread time to get here

    request = TrioRequest(
        message,
        on_ack=on_ack,
        app=app,
        task=task,
        headers={"id": "a", "task": task.name},
        body=((), {}, {}),
        decoded=True,
    )

    with ThreadPoolExecutor(2) as threads:
        threads.submit(request.acknowledge)
        threads.submit(request.acknowledge)

    assert len(acknowledged) == 1
