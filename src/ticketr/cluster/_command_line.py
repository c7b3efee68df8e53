"""What the commands of ``python -m ticketr.cluster`` have in common."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import trio

from ticketr.cleaning import clean
from ticketr.cluster._address import read_url
from ticketr.cluster._connection import URL_VARIABLE, open_connection
from ticketr.cluster._errors import ClusterUnavailable
from ticketr.cluster._list import JobList
from ticketr.cluster._signed import SignedCodec
from ticketr.cluster._store import RecordStore

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncGenerator, Awaitable, Callable

T = TypeVar("T")

PATIENCE: Final = 10.0
"""Seconds until a command says that the server gives no answer."""


class Commands(Protocol):
    """What ``add_subparsers`` returns."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:  # noqa: A002 - argparse calls it so
        """Add a command."""
        ...


def add_queue_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which queue a command is about."""
    url = os.environ.get(URL_VARIABLE)
    parser.add_argument(
        "--url",
        required=url is None,
        default=url,
        help="where the server is, such as valkey://host or embedded:FOLDER"
        f" (default: {URL_VARIABLE}, which keeps a password out of the list of processes)",
    )
    parser.add_argument("--name", default="default", help="the queue's name (default: default)")
    parser.add_argument(
        "--allow-plaintext", action="store_true", help="allow TCP without TLS to other machines"
    )


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(problem: object) -> None:
    """Print what is wrong."""
    sys.stderr.write(f"error: {clean(str(problem))}\n")


@asynccontextmanager
async def open_list(options: argparse.Namespace) -> AsyncGenerator[JobList]:
    """Open the jobs of the queue that a command is about.

    Raises:
        ClusterMisconfigured: The URL, the secret or the server's settings are wrong.
        ClusterUnavailable: The server cannot be reached, or does not answer.
    """
    async with open_connection(
        options.url, name=options.name, allow_plaintext=options.allow_plaintext
    ) as connection:
        store = RecordStore(connection)
        shift = await ask(options, store.clock_shift)
        yield JobList(store, SignedCodec(connection.secret), shift)


async def ask(options: argparse.Namespace, call: Callable[[], Awaitable[T]]) -> T:
    """Return the answer of the server to a call.

    Raises:
        ClusterUnavailable: The server does not answer for 10 seconds.
    """
    with trio.move_on_after(PATIENCE):
        return await call()
    server = str(read_url(options.url, allow_plaintext=True))
    raise ClusterUnavailable(server, f"it gives no answer for {PATIENCE:g} s")
