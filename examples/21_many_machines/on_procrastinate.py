"""The application of Procrastinate, for its workers and for who submits."""

from __future__ import annotations

from pictures import shrink
from procrastinate import App, PsycopgConnector

from ticketr.procrastinate import trio_task

app = App(connector=PsycopgConnector())  # PGHOST and its like say which server
shrink_task = trio_task(app)(shrink)
