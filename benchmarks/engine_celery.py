"""The application of Celery in `engines.py`; CELERY_BROKER_URL says where RabbitMQ is."""

from __future__ import annotations

from typing import Any

import engine_work
from celery import Celery

from ticketr.celery import durable_settings, trio_task

QUEUE = "benchmark"

app = Celery("benchmark", set_as_current=False)
app.conf.update(durable_settings(QUEUE), task_ignore_result=True, worker_hijack_root_logger=False)
nothing: Any = trio_task(app)(engine_work.nothing)
endless: Any = trio_task(app)(engine_work.endless)
plain: Any = app.task(engine_work.plain_nothing)
