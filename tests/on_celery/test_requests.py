"""What a worker answers to a message of RabbitMQ."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from celery import Celery

from ticketr.celery import TrioRequest, trio_task


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
