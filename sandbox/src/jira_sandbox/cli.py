"""``ticketr sandbox``: serve a Jira stand-in on this machine."""

from __future__ import annotations

import math
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack

import click

from ticketr._install import missing_packages
from ticketr.app.cli.help import Command
from ticketr.app.cli.output import echo
from ticketr.cleaning import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from jira_sandbox import Faults, User

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


def seconds(value: str | float) -> float:
    """Parse a number of seconds: finite and not negative."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise click.BadParameter(f"{value} is not a number of seconds")
    return number


def _seconds_option(name: str, words: str) -> Callable[[R], R]:
    return click.option(name, default=0.0, show_default=True, type=seconds, help=words)


TICKETS = click.option("--tickets", type=click.IntRange(min=0), help="How many.  [default: 500]")
SEED = click.option("--seed", type=int, help="The same seed, the same tickets.  [default: 1]")
LATENCY = _seconds_option("--latency", "The wait before each response.")


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port; 0 takes a free one.  [default: that of the site in --data, else a free one]",
)
@TICKETS
@SEED
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
@LATENCY
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
    """Serve a Jira site with made-up tickets, to try ticketr on.

    It prints its address and serves until SIGINT or SIGTERM. Log in as demo@example.com with
    the token demo; the project is DEMO.
    """
    require_demo_extra("ticketr sandbox")
    import trio

    from jira_sandbox import OtherSeed, run

    user, hostile = _user_in_zone(time_zone), _read_faults(faults)
    if not _is_loopback(host := options["host"]):
        words = "can log in with the known token demo, and read and change everything in it"
        click.echo(clean(f"warning: whoever can reach the sandbox on {host} {words}"), err=True)
    serve = partial(run, user=user, faults=hostile, announce=echo, **options)
    try:
        trio.run(serve)
    except OtherSeed as error:
        raise click.UsageError(str(error)) from None


def _is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone."""
    import ipaddress

    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _user_in_zone(time_zone: str | None) -> User:
    from jira_sandbox import DEMO_USER, user_in

    if time_zone is None:
        return DEMO_USER
    try:
        return user_in(time_zone)
    except LookupError:
        raise click.BadParameter(
            f"this machine knows no time zone {time_zone!r}", param_hint="--time-zone"
        ) from None


def _read_faults(text: str | None) -> Faults | None:
    from jira_sandbox import BadFaults, Faults

    try:
        return None if text is None else Faults.parse(text)
    except BadFaults as error:
        raise click.BadParameter(error.problem, param_hint="--faults") from None


#: What to do where the packages of the extra ``demo`` are missing.
DEMO_EXTRA = missing_packages("demo")


def has_demo_extra() -> bool:
    """Return whether the packages of the extra ``demo`` are installed."""
    return all(find_spec(name) is not None for name in ("starlette", "hypercorn", "lark"))


def require_demo_extra(command: str) -> None:
    """Raise a usage error if the packages of the extra ``demo`` are not installed."""
    if not has_demo_extra():
        raise click.UsageError(f"{command} {DEMO_EXTRA}")
