"""Trio functions as tasks of Procrastinate, an engine for jobs on many machines, on PostgreSQL.

::

    import procrastinate
    from ticketr.procrastinate import trio_task

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo="..."))

    @trio_task(app, queue="mail", retry=3)
    async def send(context, address): ...

``python -m ticketr.procrastinate worker module:app`` runs the jobs. All else is Procrastinate's:
``send.defer_async(address=...)``, its schedules, retries, locks, commands and pages.
"""

from __future__ import annotations

from ticketr._install import missing_packages_message

try:
    from ticketr.procrastinate._task import TrioTask, trio_task
    from ticketr.procrastinate._worker import WorkerFailed, run_worker
except ModuleNotFoundError as error:
    if error.name not in ("procrastinate", "psycopg"):
        raise
    raise ModuleNotFoundError(
        missing_packages_message("ticketr.procrastinate", "procrastinate"), name=error.name
    ) from None

__all__ = ["TrioTask", "WorkerFailed", "run_worker", "trio_task"]
