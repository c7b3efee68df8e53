"""Test what a decorated function is, and what is refused before PostgreSQL gets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import procrastinate
import pytest
from procrastinate.testing import InMemoryConnector

from ticketr import GiveUp, JobContext, JobStatus, NotSendable, SqliteStore, open_job_queue
from ticketr.procrastinate import run_worker, trio_task
from ticketr.procrastinate._task import GivenBack

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

    for task in (greet.task, trio_task(app, name="never")(greet).task):
        assert task.get_retry_exception(GivenBack(), job) is not None
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
