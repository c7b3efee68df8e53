"""Test worker processes on a real PostgreSQL."""

from __future__ import annotations

import signal

import pytest
from fakes.engines import Engine

pytestmark = pytest.mark.unmeasured

QUICK = ("--heartbeat-limit", "4")


def test_a_worker_runs_many_jobs_each_once(engine: Engine) -> None:
    engine.work(500, 0)
    engine.worker("--concurrency", "16")

    engine.until(engine.ended)

    assert engine.statuses() == {"succeeded": 500}
    assert engine.count("start") == engine.count("end") == 500


def test_an_abort_stops_a_running_job_and_waits_for_its_clean_up(engine: Engine) -> None:
    (job,) = engine.work(1, 60)
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

    assert worker.wait(60) == 1
    assert engine.log().count('database "nowhere" does not exist') == 1


def test_the_log_hides_the_password_of_a_url_that_is_misspelt(engine: Engine) -> None:
    worker = engine.worker(*QUICK, "--give-up-after", "1", url="postgres//me:hunter2@127.0.0.1/x")

    assert worker.wait(60) == 1
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


def test_sigterm_gives_back_what_does_not_end_within_the_grace(engine: Engine) -> None:
    engine.work(1, 60)
    engine.work(1, 0.5, "short")
    worker = engine.worker("--grace", "1.5")
    engine.until(lambda: engine.count("start") == 2)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(30) == 0
    assert engine.statuses() == {"todo": 1, "succeeded": 1}
    assert engine.count("cancel") == 1


def test_a_job_of_a_killed_worker_starts_again(engine: Engine) -> None:
    engine.work(1, 3)
    first = engine.worker(*QUICK)
    engine.until(lambda: engine.count("start") == 1)
    first.kill()
    first.wait()
    engine.worker(*QUICK)

    engine.until(engine.ended)

    assert engine.statuses() == {"succeeded": 1}
    assert engine.count("start") == 2


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
    engine.work(1, 60)
    engine.until(lambda: engine.count("start") == 1)

    engine.server.stop()
    engine.until(lambda: engine.count("cancel") == 1)

    engine.server.start()
    engine.until(lambda: engine.count("start") == 2)


def test_a_worker_that_gives_up_ends_with_an_error(own_engine: Engine) -> None:
    engine = own_engine
    worker = engine.worker(*QUICK, "--give-up-after", "1")
    engine.work(1, 0)
    engine.until(lambda: engine.count("end") == 1)

    engine.server.stop()

    assert worker.wait(60) == 1
    assert "error: the worker gives up: no answer of PostgreSQL for 1 s" in engine.log()
