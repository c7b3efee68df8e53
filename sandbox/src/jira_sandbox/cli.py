"""The command ``jira-sandbox``: serve a Jira site on this machine."""

from __future__ import annotations

import ipaddress
import math
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypedDict, TypeVar, Unpack

import click
import trio

from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.model import User
from jira_sandbox.errors import BadFaults, OtherSeed, SandboxError
from jira_sandbox.faults.source import Faults
from jira_sandbox.opening import user_in
from jira_sandbox.server import run

NAME = "jira-sandbox"
_INTERRUPTED = 130

R = TypeVar("R", bound="Callable[..., object]")


class _ServerOptions(TypedDict):
    host: str
    port: int | None
    tickets: int | None
    seed: int | None
    all_fields: bool
    data: Path | None
    latency: float
    search_lag: float
    odd: bool
    exit_with_stdin: bool


def _seconds(value: str | float) -> float:
    """Parse a number of seconds: finite and not negative."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise click.BadParameter(f"{value} is not a number of seconds")
    return number


def _seconds_option(name: str, words: str) -> Callable[[R], R]:
    return click.option(
        name, default=0.0, show_default=True, type=_seconds, metavar="SECONDS", help=words
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name=NAME, prog_name=NAME, message="%(prog)s %(version)s")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port; 0 takes a free one.  [default: that of the site in --data, else a free one]",
)
@click.option("--tickets", type=click.IntRange(min=0), help="How many.  [default: 500]")
@click.option("--seed", type=int, help="The same seed, the same tickets.  [default: 1]")
@click.option(
    "--all-fields", is_flag=True, help="Add projects with a field of every type: KIT and TEAM."
)
@click.option(
    "--data",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the site in this file, and go on with the one that is there.",
)
@click.option(
    "--time-zone",
    metavar="NAME",
    help="Where the user lives, such as Europe/Berlin.  [default: Asia/Kolkata]",
)
@_seconds_option("--latency", "The wait before each response.")
@_seconds_option("--search-lag", "How long searches are behind.")
@click.option("--odd", is_flag=True, help="Answer with unknown keys and nulls, as real Jira does.")
@click.option(
    "--faults",
    metavar="SPEC",
    help="Make it hostile: all, or some such as 429=0.05,lost=0.02,seed=7.",
)
@click.option("--exit-with-stdin", is_flag=True, help="End when standard input is closed.")
def sandbox(
    *, time_zone: str | None, faults: str | None, **options: Unpack[_ServerOptions]
) -> None:
    """Serve a Jira site with made-up tickets, to test a Jira client on.

    It prints its address and serves until SIGINT or SIGTERM. Log in as demo@example.com with
    the token demo; the project is DEMO.
    """
    user, hostile = _user_in_zone(time_zone), _read_faults(faults)
    if not _is_loopback(host := options["host"]):
        words = "can log in with the known token demo, and read and change everything in it"
        warning = f"warning: whoever can reach the sandbox on {host} {words}"
        click.echo(_printable(warning), err=True)
    try:
        trio.run(partial(run, user=user, faults=hostile, announce=_announce, **options))
    except OtherSeed as error:
        raise click.UsageError(str(error)) from None
    except SandboxError as error:
        raise click.ClickException(str(error)) from None


def main() -> None:
    """Run the command and end the process with its exit code: 0, 1 failed, 2 wrong usage."""
    try:
        code = sandbox.main(prog_name=NAME, standalone_mode=False)
    except click.exceptions.Abort:
        click.echo(f"{NAME}: interrupted", err=True)
        code = _INTERRUPTED
    except click.ClickException as error:
        click.echo(_printable(f"{NAME}: {error.format_message()}"), err=True)
        if isinstance(error, click.UsageError):
            click.echo(f"try '{NAME} --help'", err=True)
        code = error.exit_code
    sys.exit(code)


def _announce(line: str) -> None:
    try:
        click.echo(line)
    except OSError as error:
        # The interpreter would flush what could not be written once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.ClickException(f"cannot write the output: {error.strerror}") from None


def _printable(text: str) -> str:
    """Return a text without control characters, which could command a terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _user_in_zone(time_zone: str | None) -> User:
    if time_zone is None:
        return DEMO_USER
    try:
        return user_in(time_zone)
    except LookupError:
        raise click.BadParameter(
            f"this machine knows no time zone {time_zone!r}", param_hint="--time-zone"
        ) from None


def _read_faults(text: str | None) -> Faults | None:
    try:
        return None if text is None else Faults.parse(text)
    except BadFaults as error:
        raise click.BadParameter(error.problem, param_hint="--faults") from None
