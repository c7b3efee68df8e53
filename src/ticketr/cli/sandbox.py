"""``ticketr sandbox``: a Jira stand-in on this machine."""

from __future__ import annotations

from importlib.util import find_spec

import click


@click.command(short_help="Serve a Jira stand-in with made-up tickets.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=0, show_default=True, help="The port; 0 takes a free one.")
@click.option("--tickets", default=500, show_default=True, type=click.IntRange(min=0))
@click.option("--seed", default=1, show_default=True, help="The same seed, the same tickets.")
@click.option(
    "--latency", default=0.0, show_default=True, help="Seconds to wait before each response."
)
@click.option("--odd", is_flag=True, help="Answer with unknown keys and nulls, as real Jira does.")
@click.option("--faults", help="Make it hostile: all, or some such as 429=0.05,lost=0.02,seed=7.")
@click.option("--exit-with-stdin", is_flag=True, help="End when standard input is closed.")
def sandbox(
    *,
    host: str,
    port: int,
    tickets: int,
    seed: int,
    latency: float,
    odd: bool,
    faults: str | None,
    exit_with_stdin: bool,
) -> None:
    """Serve a Jira site with made-up tickets, to try ticketr on.

    It prints its address and serves until SIGINT or SIGTERM. Log in as demo@example.com with
    the token demo; the project is DEMO.
    """
    require_demo_extra("ticketr sandbox")
    import trio

    from ticketr.sandbox import BadFaults, Faults, run

    try:
        hostile = None if faults is None else Faults.parse(faults)
    except BadFaults as error:
        raise click.UsageError(str(error)) from None

    async def serve() -> None:
        await run(
            host=host,
            port=port,
            tickets=tickets,
            seed=seed,
            latency=latency,
            odd=odd,
            faults=hostile,
            exit_with_stdin=exit_with_stdin,
            announce=click.echo,
        )

    trio.run(serve)


def require_demo_extra(command: str) -> None:
    """Refuse a command, in words, where the packages that it needs are not installed."""
    if any(find_spec(name) is None for name in ("starlette", "hypercorn", "lark")):
        raise click.UsageError(f"{command} needs more packages: pip install 'ticketr[demo]'")
