"""The application of Celery, for its workers and for who submits."""

from __future__ import annotations

from celery import Celery
from pictures import shrink

from ticketr.celery import durable_settings, trio_task

app = Celery("pictures", backend="rpc://")  # CELERY_BROKER_URL says which server
app.conf.update(durable_settings("pictures"))
shrink_task = trio_task(app)(shrink)
