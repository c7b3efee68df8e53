"""``ticketr alias``: list names for queries, and give queries names; no request to Jira."""

from __future__ import annotations

import os

import click

from ticketr.app import config
from ticketr.app.cli import exits
from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import command
from ticketr.app.cli.options import CommonOptions, folder_json_options


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
@folder_json_options
def alias(options: CommonOptions, *, name: str | None, query: str | None, remove: bool) -> int:
    """List the names for queries, or give a query in JQL a name. Sends no request.

    `@NAME` stands for the query in `pull --jql`, in the `jql` of a workspace, and in other aliases.
    An alias of yours is in your own settings and holds in all workspaces; the table `aliases` in
    ticketr.toml has those of a team.
    """
    if name is not None and (query is not None) == remove:
        raise click.UsageError("give NAME and QUERY, or NAME and --remove, or none of them")
    if name is None and remove:
        raise click.UsageError("--remove needs the NAME of an alias")
    settings = options.find_workspace()
    for line in settings.file.ignored_alias_warnings:
        echo(line, err=True)
    aliases = settings.all_aliases
    folder = config.config_folder(os.environ)
    if name is None:
        if options.as_json:
            echo_json([{"name": known, "query": aliases[known]} for known in sorted(aliases)])
            return exits.DONE
        room = max(map(len, aliases))
        for known in sorted(aliases):
            echo(f"@{known:<{room}}  {aliases[known]}")
        return exits.DONE
    name = name.removeprefix("@")
    if query is not None:
        name = config.checked_alias_name("NAME", name)
        query = config.checked_jql("QUERY", query)
        config.expand_aliases("QUERY", f"@{name}", {**aliases, name: query})
        config.store_user_alias(folder, name, query)
        echo(f"@{name} stands for: {query}")
        return exits.DONE
    if config.remove_alias(folder, name):
        echo(f"removed @{name}")
        return exits.DONE
    where = " (it is built in, or in ticketr.toml)" if name in aliases else ""
    echo(f"your settings have no alias @{name}{where}", err=True)
    return exits.FAILURE
