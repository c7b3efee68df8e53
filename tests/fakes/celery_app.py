"""The application of the tests: its tasks, and what the environment says of its broker and queue."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from celery import Celery
from fakes import celery_jobs

from ticketr.celery import durable_settings, trio_task


class Tasks:
    """The tasks on one application."""

    def __init__(self, broker: str, queue: str, **settings: Any) -> None:
        self.app = Celery("tests", broker=broker, backend="rpc://", set_as_current=False)
        self.app.conf.update(durable_settings(queue), **settings)
        self.app.conf.worker_hijack_root_logger = False
        make = partial(trio_task, self.app, shared=False)  # with no other application
        self.add: Any = make()(celery_jobs.add)
        self.work: Any = make()(celery_jobs.work)
        self.held: Any = make()(celery_jobs.held)
        self.clean_up: Any = make()(celery_jobs.clean_up)
        self.use_closed_queue: Any = make()(celery_jobs.use_closed_queue)
        self.exit_once: Any = make()(celery_jobs.exit_once)
        self.fail_at_first: Any = make(
            autoretry_for=(OSError,), max_retries=2, default_retry_delay=0.2
        )(celery_jobs.fail_at_first)
        self.block: Any = self.app.task(name="block", shared=False)(block)

    def close(self) -> None:
        """Close the connection for results; other applications use the same for the rest."""
        backend: Any = self.app.backend
        with suppress(AttributeError):  # it has none
            backend.result_consumer.stop()
        self.app.close()


def block(gate: str) -> str:
    """Block a thread until there is a file: a task of Celery's own beside the others."""
    while not Path(gate).exists():
        threading.Event().wait(0.01)
    return "blocked"


if "TEST_BROKER" in os.environ:  # in a worker
    app = Tasks(
        os.environ["TEST_BROKER"],
        os.environ["TEST_QUEUE"],
        **json.loads(os.environ["TEST_SETTINGS"]),
    ).app
