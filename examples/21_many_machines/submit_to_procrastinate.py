"""Submit a job to Procrastinate."""

from __future__ import annotations

from on_procrastinate import app, shrink_task

with app.open():
    print("job", shrink_task.defer(name="cat.png", width=80))
