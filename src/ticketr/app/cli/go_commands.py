"""What replaces the commands and options of the Go program Ticketr that do not exist here."""

from __future__ import annotations

_OUTPUT_ADVICE = "each ticket has a file of its own; -C FOLDER names the folder"
_TEMPLATE_ADVICE = "ticketr new --template NAME; it reads templates/NAME.yaml of the workspace, too"
_MIGRATE_PATHS_ADVICE = "files are where they belong; there is nothing to move"
_WORKSPACE_ADD_ADVICE = "ticketr workspace add, which asks for what is missing"
_WORKSPACE_USE_ADVICE = "ticketr workspace use NAME"
_BULK_KEYS_ADVICE = "name the keys: ticketr bulk DEMO-1 DEMO-2"
_VERBOSE_ADVICE = "ticketr --debug COMMAND"

#: By the command line up to the word that does not exist: what to use now.
REPLACEMENT_BY_GO_COMMAND = {
    "ticketr --config": "settings are in ticketr.toml of the workspace; -C FOLDER names another one",
    "ticketr --verbose": _VERBOSE_ADVICE,
    "ticketr -v": _VERBOSE_ADVICE,
    "ticketr --file": "ticketr push, which finds the files of the workspace",
    "ticketr -f": "ticketr push, which finds the files of the workspace",
    "ticketr --list-issue-types": "ticketr schema --json",
    "ticketr --check-fields": "ticketr schema, which marks the fields that an issue needs",
    "ticketr push --force-partial-upload": "always on: each ticket succeeds or fails by itself",
    "ticketr pull --alias": "ticketr pull --jql @NAME",
    "ticketr pull --output": _OUTPUT_ADVICE,
    "ticketr pull -o": _OUTPUT_ADVICE,
    "ticketr pull --force": "ticketr pull --strategy jira",
    "ticketr tui": "ticketr, without a command",
    "ticketr migrate": "write '# TICKET:' in place of '# STORY:' in the files",
    "ticketr migrate-paths": _MIGRATE_PATHS_ADVICE,
    "ticketr rollback-paths": _MIGRATE_PATHS_ADVICE,
    "ticketr credentials": _WORKSPACE_ADD_ADVICE,
    "ticketr template": _TEMPLATE_ADVICE,
    "ticketr listen": "ticketr pull --every 5m; there is no server for webhooks",
    "ticketr workspace create": _WORKSPACE_ADD_ADVICE,
    "ticketr workspace switch": _WORKSPACE_USE_ADVICE,
    "ticketr workspace set-default": _WORKSPACE_USE_ADVICE,
    "ticketr workspace current": "ticketr workspace list, which marks the one in use",
    "ticketr workspace delete": "ticketr workspace remove NAME",
    "ticketr workspace add --url": "--site URL",
    "ticketr workspace add --username": "--email ADDRESS",
    "ticketr workspace add --token": "JIRA_API_TOKEN, or leave it out and type it when asked",
    "ticketr workspace add --profile": "a login belongs to a site; each workspace of the site uses it",
    "ticketr workspace remove --force": "nothing: it asks nothing, and deletes no ticket",
    "ticketr bulk update": f"{_BULK_KEYS_ADVICE} --set FIELD=VALUE",
    "ticketr bulk move": f"{_BULK_KEYS_ADVICE} --move PARENT",
    "ticketr bulk delete": f"{_BULK_KEYS_ADVICE} --delete",
    "ticketr bulk --ids": _BULK_KEYS_ADVICE,
    "ticketr bulk --parent": "--move KEY",
    "ticketr bulk --confirm": "--yes",
    "ticketr alias list": "ticketr alias",
    "ticketr alias show": "ticketr alias, which lists all",
    "ticketr alias create": "ticketr alias NAME QUERY",
    "ticketr alias update": "ticketr alias NAME QUERY",
    "ticketr alias delete": "ticketr alias --remove NAME",
    "ticketr alias --global": "an alias of yours is there in all workspaces",
    "ticketr alias --description": "an alias has no description",
}
