"""Submit a job to Celery, and wait for its result."""

from __future__ import annotations

from on_celery import shrink_task

print(shrink_task.delay("cat.png", 80).get())
