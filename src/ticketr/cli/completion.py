"""``ticketr completion``: the script by which a shell completes commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  ticketr completion bash > ~/.local/share/bash-completion/completions/ticketr
    zsh:   ticketr completion zsh > "${fpath[1]}/_ticketr"
    fish:  ticketr completion fish > ~/.config/fish/completions/ticketr.fish
    """  # noqa: D301 - the control character keeps click from running the lines together
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "ticketr", "_TICKETR_COMPLETE").source())
