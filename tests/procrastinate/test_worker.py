"""Test worker processes on a real PostgreSQL."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import procrastinate
import pytest
from fakes.engines import LIMIT, Engine
from procrastinate.testing import InMemoryConnector

from ticketr import GiveUp, JobContext, JobStatus, NotSendable, SqliteStore, open_job_queue
from ticketr.procrastinate import run_worker, trio_task
from ticketr.procrastinate._task import Requeued

QUICK = ("--heartbeat-limit", "8")
"""A machine that stands still for 3/4 of it may stop a job, which starts again then."""


def test_a_worker_runs_many_jobs_each_once(engine: Engine) -> None:
    engine.work(500, 0)
    engine.worker("--concurrency", "16")

    engine.until(engine.ended)

    assert engine.statuses() == {"succeeded": 500}
    assert engine.count("start") == engine.count("end") == 500


def test_an_abort_stops_a_running_job_and_waits_for_its_clean_up(engine: Engine) -> None:
    (job,) = engine.hold("job")
    engine.worker()
    engine.until(lambda: engine.count("start") == 1)

    assert engine.app.job_manager.cancel_job_by_id(job, abort=True)

    engine.until(engine.ended)
    assert engine.statuses() == {"aborted": 1}
    assert engine.count("cancel") == 1


def test_a_failed_job_is_retried_by_the_rule_of_its_task(engine: Engine) -> None:
    engine.defer("fakes.engine_jobs.flaky", [{"name": "one"}])
    engine.worker()

    engine.until(engine.ended)

    assert engine.statuses() == {"succeeded": 1}
    assert engine.count("start") == 3


def test_an_error_of_the_jobs_own_queue_is_its_error(engine: Engine) -> None:
    engine.defer("fakes.engine_jobs.closed", [{"name": "one"}])
    engine.worker()

    engine.until(engine.ended)

    assert engine.statuses() == {"failed": 1}
    assert engine.count("start") == 1


def test_the_log_says_why_there_is_no_line(engine: Engine) -> None:
    worker = engine.worker(*QUICK, "--give-up-after", "1", url=engine.server.url("nowhere"))

    assert worker.wait(LIMIT) == 1
    assert engine.log().count('database "nowhere" does not exist') == 1


def test_the_log_hides_the_password_of_a_url_that_is_misspelt(engine: Engine) -> None:
    worker = engine.worker(*QUICK, "--give-up-after", "1", url="postgres//me:hunter2@127.0.0.1/x")

    assert worker.wait(LIMIT) == 1
    assert "postgres//me:***@127.0.0.1/x" in engine.log()
    assert "hunter2" not in engine.log()


def test_a_time_limit_fails_the_job(engine: Engine) -> None:
    engine.defer("fakes.engine_jobs.slow", [{"name": "one"}])
    engine.worker()

    engine.until(engine.ended)

    assert engine.statuses() == {"failed": 1}
    assert "timed out after 0.05 s" in engine.log()


def test_a_job_submits_the_next_one(engine: Engine) -> None:
    engine.defer("parent", [{"name": "next"}])
    engine.worker()

    engine.until(lambda: engine.count("end") == 1)


def test_sigterm_waits_for_what_ends_within_the_grace(engine: Engine) -> None:
    engine.hold("short")
    worker = engine.worker("--grace", str(LIMIT))
    engine.until(lambda: engine.count("start") == 1)

    worker.send_signal(signal.SIGTERM)
    engine.until(lambda: "Stop requested" in engine.log())
    engine.let_go("short")

    assert worker.wait(LIMIT) == 0
    assert engine.statuses() == {"succeeded": 1}


def test_sigterm_gives_back_what_does_not_end_within_the_grace(engine: Engine) -> None:
    engine.hold("long")
    worker = engine.worker("--grace", "0.5")
    engine.until(lambda: engine.count("start") == 1)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(LIMIT) == 0
    assert engine.statuses() == {"todo": 1}
    assert engine.count("cancel") == 1


def test_a_job_of_a_killed_worker_starts_again(engine: Engine) -> None:
    engine.hold("job")
    first = engine.worker(*QUICK)
    engine.until(lambda: engine.count("start") >= 1)
    first.kill()
    first.wait()
    starts = engine.count("start")
    engine.let_go("job")
    engine.worker(*QUICK)

    engine.until(engine.ended)

    assert engine.statuses() == {"succeeded": 1}
    assert engine.count("start") > starts
    assert engine.count("end") == 1


def test_a_task_that_the_worker_lacks_is_named(engine: Engine) -> None:
    engine.defer("newer.release.task", [{}])
    engine.worker()

    engine.until(engine.ended)

    assert engine.statuses() == {"failed": 1}
    engine.until(lambda: "Job newer.release.task[1]() ended with status: Error" in engine.log())


def test_a_worker_outlives_an_outage(own_engine: Engine) -> None:
    engine = own_engine
    worker = engine.worker(*QUICK)
    engine.work(1, 0, "before")
    engine.until(lambda: engine.count("end") == 1)

    engine.server.stop()
    engine.until(lambda: "no answer of PostgreSQL" in engine.log())
    engine.server.start()

    engine.app.close()
    engine.app.open()
    engine.work(1, 0, "after")
    engine.until(lambda: engine.count("end") == 2)
    assert worker.poll() is None


def test_a_running_job_is_stopped_before_others_may_start_it(own_engine: Engine) -> None:
    engine = own_engine
    engine.worker(*QUICK)
    engine.hold("job")
    engine.until(lambda: engine.count("start") >= 1)

    engine.server.stop()
    engine.until(lambda: engine.count("cancel") == engine.count("start"))

    starts = engine.count("start")
    engine.server.start()
    engine.until(lambda: engine.count("start") > starts)


def test_a_worker_that_gives_up_ends_with_an_error(own_engine: Engine) -> None:
    engine = own_engine
    # It gives up at its start if the server takes longer than a quarter of the limit to answer.
    worker = engine.worker("--heartbeat-limit", "20", "--give-up-after", "1")
    engine.work(1, 0)
    engine.until(lambda: engine.count("end") == 1)

    engine.server.stop()

    assert worker.wait(LIMIT) == 1
    assert "error: the worker gives up: no answer of PostgreSQL for 1 s" in engine.log()


app = procrastinate.App(connector=InMemoryConnector())


@trio_task(app, queue="mail", retry=2)
async def greet(context: JobContext, name: str, size: object) -> str:
    return f"{name} {size}"


async def test_the_same_function_runs_in_memory_and_in_a_store(tmp_path: Path) -> None:
    async with open_job_queue() as queue:
        assert await queue.run(greet, "ada", 1) == "ada 1"
    async with open_job_queue(store=SqliteStore(tmp_path / "jobs.db")) as queue:
        assert await queue.run(greet, "ada", 2) == "ada 2"


def test_a_submit_takes_the_options_of_the_engine() -> None:
    assert isinstance(app.connector, InMemoryConnector)
    app.connector.reset()

    greet.configure(priority=3, lock="one").defer(name="ada", size=[1, {"a": None}])
    greet.batch_defer({"name": "b", "size": 2.5}, {"name": "c", "size": True})

    first, second, third = app.connector.jobs.values()
    assert (first["queue_name"], first["priority"], first["lock"]) == ("mail", 3, "one")
    assert first["args"] == {"name": "ada", "size": [1, {"a": None}]}
    assert [second["args"]["size"], third["args"]["size"]] == [2.5, True]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            (1, 2),
            r"argument 'size' of .*greet cannot be sent: \(1, 2\) would come back as \[1, 2\]",
        ),
        ({"a": {1: 2}}, r"\{'a': \{1: 2\}\} would come back as \{'a': \{'1': 2\}\}"),
        ([1, {2}], "is no JSON: Object of type set"),
        (float("nan"), "is no JSON: Out of range"),
        (b"raw", "is no JSON: Object of type bytes"),
        (JobStatus.PENDING, "would come back as 'pending'"),
    ],
)
def test_an_argument_that_would_come_back_as_another_is_refused(value: Any, message: str) -> None:
    assert isinstance(app.connector, InMemoryConnector)
    app.connector.reset()

    with pytest.raises(NotSendable, match=message):
        greet.defer(name="ada", size=value)
    with pytest.raises(NotSendable, match=message):
        greet.configure(priority=1).batch_defer({"name": "ada", "size": value})

    assert app.connector.jobs == {}


def test_a_job_that_is_given_back_starts_again_whatever_the_rule() -> None:
    job = procrastinate.jobs.Job(
        id=1, task_name="t", queue="q", lock=None, queueing_lock=None, attempts=99
    )

    async def never(context: JobContext) -> None: ...

    for task in (greet.task, trio_task(app, name="never")(never).task):
        assert task.get_retry_exception(Requeued(), job) is not None
        assert task.get_retry_exception(GiveUp(), job) is None
        assert task.get_retry_exception(ValueError(), job) is None


def test_a_plain_worker_says_which_worker_the_job_needs() -> None:
    assert isinstance(app.connector, InMemoryConnector)
    app.connector.reset()
    errors = list[BaseException]()

    async def note(call: Any, context: object, worker: object) -> Any:
        try:
            return await call()
        except RuntimeError as error:
            errors.append(error)
            raise

    greet.configure(queue="other").defer(name="ada", size=1)
    app.run_worker(wait=False, worker_middleware=[note], install_signal_handlers=False)

    assert "python -m ticketr.procrastinate worker" in str(errors[0])


async def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="timeout"):
        trio_task(app, timeout=0)
    with pytest.raises(TypeError, match="PsycopgConnector"):
        await run_worker(app)
