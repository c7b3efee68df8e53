"""``ticketr alias``: list names for queries, and give queries names; no request to Jira."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from ticketr.app import config
from ticketr.app.cli import exits
from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import command
from ticketr.app.cli.options import CommonOptions, workspace_options


@command(
    examples={
        "ticketr alias": "List all aliases.",
        'ticketr alias bugs "type = Bug AND @mine"': "Give a query a name.",
        "ticketr pull --jql @bugs": "Pull what it finds.",
        "ticketr alias --remove bugs": "Take the name away again.",
    },
)
@click.argument("name", required=False)
@click.argument("query", required=False)
@click.option("--remove", is_flag=True, help="Remove the alias NAME from your settings.")
@workspace_options
def alias(
    options: CommonOptions,
    *,
    name: str | None,
    query: str | None,
    remove: bool,
) -> int:
    """List the names for queries, or give a query in JQL a name. Sends no request.

    `@NAME` stands for the query in `pull --jql`, in the `jql` of a workspace, and in other aliases.
    An alias of yours is in your own settings and holds in all workspaces; the table `aliases` in
    ticketr.toml has those of a team.
    """
    if name is not None and (query is not None) == remove:
        raise click.UsageError("give NAME and QUERY, or NAME and --remove, or none of them")
    if name is None and remove:
        raise click.UsageError("--remove needs the NAME of an alias")
    settings = options.resolved()
    for line in settings.file.ignored:
        echo(line, err=True)
    aliases = settings.aliases
    if name is None:
        _print_aliases(aliases, as_json=options.as_json)
    elif query is not None:
        _store_alias(name, query, aliases)
    else:
        return _remove_alias(name, aliases)
    return exits.DONE


def _print_aliases(aliases: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        echo_json([{"name": name, "query": aliases[name]} for name in sorted(aliases)])
        return
    room = max(map(len, aliases))
    for name in sorted(aliases):
        echo(f"@{name:<{room}}  {aliases[name]}")


def _store_alias(name: str, query: str, aliases: Mapping[str, str]) -> None:
    name = config.checked_alias("NAME", name.removeprefix("@"))
    query = config.checked_jql("QUERY", query)
    config.expand_aliases("QUERY", f"@{name}", {**aliases, name: query})
    config.store_alias(config.config_folder(os.environ), name, query)
    echo(f"@{name} stands for: {query}")


def _remove_alias(name: str, aliases: Mapping[str, str]) -> int:
    name = name.removeprefix("@")
    if config.remove_alias(config.config_folder(os.environ), name):
        echo(f"removed @{name}")
        return exits.DONE
    where = " (it is built in, or in ticketr.toml)" if name in aliases else ""
    echo(f"your settings have no alias @{name}{where}", err=True)
    return exits.FAILED
