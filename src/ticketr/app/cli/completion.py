"""``ticketr completion``: the script by which a shell completes commands."""

from __future__ import annotations

import os

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from ticketr.app.cli.help import Command

# bash breaks words at "=" and ":", too, and takes a value without quotes for several words. So this
# script hands over the line as it is up to the cursor, puts quotes around what comes back, and
# takes off what bash counts to the word before.
_BASH = r"""
%(complete_func)s() {
    local response type value
    response=$(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                [[ $value == *= ]] && compopt -o nospace
                [[ $value == *=?* && $COMP_WORDBREAKS == *=* ]] && value=${value#*=}
                [[ -n $value ]] && COMPREPLY+=("$(printf '%%q' "$value")")
                ;;
        esac
    done <<< "$response"
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(BashComplete):
    source_template = _BASH

    @classmethod
    def _check_version(cls) -> None:
        """Do nothing: every bash from version 4.4 on can run the script."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor without the program, and the word at the cursor."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        is_between = not words or line[-1:].isspace()
        return (words, "") if is_between else (words[:-1], words[-1])


class _Fish(FishComplete):
    # A value may hold a comma itself.
    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split -m 1 ","'
    )

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Return the completions in the form that fish needs.

        A value behind ``--option=`` begins with that. The value of a filter has no quotes: fish
        offers what begins as the line does, and puts a backslash before each blank itself.
        """
        items = super().get_completions(args, incomplete)
        for item in items:
            if item.type == "plain":
                item.value = item.value.replace('"', "")
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("--"):
            for item in items:
                if item.type == "plain":
                    item.value = f"{option}={item.value}"
        return items


def use_own_script() -> None:
    """Let click answer the completions of bash and fish for the scripts here, and not its own."""
    add_completion_class(_Bash)
    add_completion_class(_Fish)


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the script by which a shell completes commands, options, keys, names and statuses."""
    use_own_script()
    kind: type[ShellComplete] | None = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "ticketr", "_TICKETR_COMPLETE").source())
