"""The application of Procrastinate in `engines.py`; PGHOST and its like say where PostgreSQL is."""

from __future__ import annotations

import engine_work
from procrastinate import App, PsycopgConnector

from ticketr.procrastinate import trio_task

app = App(connector=PsycopgConnector())
nothing = trio_task(app)(engine_work.nothing)
endless = trio_task(app)(engine_work.endless)
plain = app.task(engine_work.plain_async_nothing)
