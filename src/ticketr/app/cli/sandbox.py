"""``ticketr sandbox``: the command of the distribution ``jira-sandbox``, with ticketr's help."""

from __future__ import annotations

import click

from ticketr.app.cli import exits
from ticketr.app.cli.demo_site import has_demo_extra, require_demo_extra
from ticketr.app.cli.help import Command

_EXITS = {
    str(exits.DONE): "Stopped by Ctrl+C or SIGTERM.",
    str(exits.FAILURE): "Failed, as on a port that is taken.",
    str(exits.USAGE): "Wrong usage, or the sandbox is not installed.",
}
_EXAMPLES = {
    "ticketr sandbox --port 8080": "Serve 500 tickets on this port.",
    "ticketr sandbox --tickets 20 --faults all": "Serve a few, and misbehave.",
}


def _make_command() -> Command:
    """Return the sandbox's own command, or one that names the extra that it needs."""
    if has_demo_extra():
        from jira_sandbox.cli import sandbox as own

        return Command(
            "sandbox",
            callback=own.callback,
            params=own.params,
            help=own.help,
            examples=_EXAMPLES,
            exits=_EXITS,
        )
    return Command(
        "sandbox",
        callback=lambda **_: require_demo_extra("ticketr sandbox"),
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        help="Serve a Jira site with made-up tickets.",
        examples=_EXAMPLES,
        exits=_EXITS,
    )


sandbox = _make_command()
