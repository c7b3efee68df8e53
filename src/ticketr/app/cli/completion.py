"""``ticketr completion``: the script by which a shell completes commands, and what it completes.

Everything is read from the state file and the settings of the user, without Trio; what cannot be
read gives nothing, since a completion has no place for an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click
from click import shell_completion
from click.shell_completion import CompletionItem

from ticketr._errors import TicketrError
from ticketr.app import config
from ticketr.app.cli.help import command
from ticketr.cleaning import clean


def _workspace_root(context: click.Context) -> Path | None:
    """Return the folder of the workspace that a command line is about, if there is one."""
    name, folder = context.params.get("workspace"), context.params.get("folder")
    try:
        return config.resolve_workspace_folder(os.environ, Path.cwd(), name=name, folder=folder)
    except (TicketrError, OSError):
        return None


def complete_key(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the key of an issue, in any case, except keys that are on the line already."""
    root = _workspace_root(ctx)
    if root is None:
        return []
    given = ctx.params.get(param.name or "") or ()
    there = {key.upper() for key in ((given,) if isinstance(given, str) else given)}
    pairs = config.find_known_keys(root, os.environ, incomplete.upper())
    return [CompletionItem(key, help=clean(title)) for key, title in pairs if key not in there]


def complete_key_or_file(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the key of an issue, or the path of a file."""
    return [
        *complete_key(ctx, param, incomplete),
        CompletionItem(incomplete, type="file"),
    ]


def complete_workspace(
    ctx: click.Context,
    param: click.Parameter,
    incomplete: str,
) -> list[CompletionItem]:
    """Complete the name of a workspace that the user has added."""
    try:
        known = config.read_user_config(config.config_folder(os.environ)).workspaces
    except (TicketrError, OSError):
        return []
    return [
        CompletionItem(name, help=clean(str(entry.folder)))
        for name, entry in sorted(known.items())
        if name.startswith(incomplete)
    ]


def _pulled_value_names(ctx: click.Context, field: str) -> list[str]:
    """Return the names that a field of the issues here has; none if there is no workspace."""
    root = _workspace_root(ctx)
    return [] if root is None else config.find_value_names(root, os.environ, field)


def complete_status(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the name of a status that issues here have."""
    names = _starting_with(_pulled_value_names(ctx, "status"), incomplete)
    return [*map(CompletionItem, names)]


def complete_key_or_status(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a key; behind one, the name of a status, too."""
    return [*complete_key(ctx, param, incomplete), *complete_status(ctx, param, incomplete)]


def complete_key_or_person(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete a key, or the name of a person with an issue here."""
    people = _starting_with(("me", *_pulled_value_names(ctx, "assignee")), incomplete)
    return [*complete_key(ctx, param, incomplete), *map(CompletionItem, people)]


def _starting_with(values: Iterable[str], typed: str) -> list[str]:
    """Return the values that begin as typed, in any case and perhaps in quotes."""
    typed = typed.strip("\"'").lower()
    return [clean(value) for value in values if clean(value).lower().startswith(typed)]


# bash breaks words at "=" and ":", too, and takes a value without quotes for several words. So this
# script hands over the line as it is up to the cursor, and puts quotes around what comes back.
_BASH_SCRIPT = r"""
%(complete_func)s() {
    local response type value
    response=$(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                [[ -n $value ]] && COMPREPLY+=("$(printf '%%q' "$value")")
                ;;
        esac
    done <<< "$response"
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(shell_completion.BashComplete):
    source_template = _BASH_SCRIPT

    @classmethod
    def _check_version(cls) -> None:
        """Do nothing: every bash from version 4.4 on can run the script."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor without the program, and the word at the cursor."""
        line = os.environ["COMP_WORDS"]
        words = shell_completion.split_arg_string(line)[1:]
        is_between = not words or line[-1:].isspace()
        return (words, "") if is_between else (words[:-1], words[-1])


class _Fish(shell_completion.FishComplete):
    # A value may hold a comma itself.
    source_template = shell_completion.FishComplete.source_template.replace(
        'string split ","', 'string split -m 1 ","'
    )


def register_completion_scripts() -> None:
    """Let click answer the completions of bash and fish for the scripts here, and not its own."""
    shell_completion.add_completion_class(_Bash)
    shell_completion.add_completion_class(_Fish)


@command(
    examples={
        "ticketr completion bash > ~/.local/share/bash-completion/completions/ticketr": (
            "Complete commands, keys and more in bash."
        ),
        'ticketr completion zsh > "${fpath[1]}/_ticketr"': "The same in zsh.",
        "ticketr completion fish > ~/.config/fish/completions/ticketr.fish": "The same in fish.",
    },
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the script by which a shell completes commands, options, keys, names and statuses."""
    register_completion_scripts()
    kind: type[shell_completion.ShellComplete] | None = shell_completion.get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "ticketr", "_TICKETR_COMPLETE").source())
