"""``python -m ticketr.cluster web``: pages for a browser."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from typing import TYPE_CHECKING

import trio

from ticketr.cluster._command_line import (
    Commands,
    add_queue_options,
    complain,
    open_list,
    say,
)

if TYPE_CHECKING:
    import argparse


def add_web_command(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "web",
        help="show the jobs in a browser",
        description="Show the jobs of a queue in a browser, with a button to cancel each. The pages"
        " ask for a token: that of TICKETR_CLUSTER_WEB_TOKEN, else one that is made up and printed.",
    )
    add_queue_options(parser)
    parser.add_argument(
        "--bind",
        default="127.0.0.1:8000",
        metavar="HOST:PORT",
        help="where to listen (default: 127.0.0.1:8000; port 0: any free one)",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        import_module("ticketr.cluster.web")
    except ModuleNotFoundError as error:  # it has an extra of its own
        complain(error)
        return 2
    return trio.run(_serve, options)


async def _serve(options: argparse.Namespace) -> int:
    from ticketr.cluster.web import address_of, listen, read_bind, read_token, serve  # noqa: PLC0415

    host, port = read_bind(options.bind, allow_plaintext=options.allow_plaintext)
    token, is_new = read_token(os.environ)
    async with open_list(options) as jobs:
        listener = await listen(host, port)
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            if is_new:
                say(f"token: {token.value}")
            say(f"listening on {address_of(listener)}")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(serve, listener, jobs, options.name, token)
                await anext(aiter(signals))
                nursery.cancel_scope.cancel()
    return 0
