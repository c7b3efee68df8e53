"""``ticketr open``: open an issue in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from ticketr._errors import TicketrError
from ticketr.app.cli.completion import complete_key
from ticketr.app.cli.console import echo
from ticketr.app.cli.help import Command
from ticketr.app.cli.keys import checked_key
from ticketr.app.cli.settings import confirm_site, resolve, workspace_options


@dataclass(eq=False, repr=False)
class NoBrowser(TicketrError):
    """Raised when no browser can be started.

    Attributes:
        url: The address that was to be opened.
    """

    url: str

    def __str__(self) -> str:
        return f"no browser can be started here (set BROWSER); the address is {self.url}"


@click.command("open", cls=Command)
@click.argument("key", shell_complete=complete_key)
@click.option("--print", "only_print", is_flag=True, help="Print the address instead.")
@workspace_options
def open_(*, key: str, only_print: bool, workspace: str | None, folder: Path | None) -> None:
    """Open an issue in your browser. It need not have been pulled.

    The browser is what BROWSER names, else that of the system.
    """
    import webbrowser

    from ticketr.app.jira.site import browse_url

    wanted = checked_key(key)
    site = confirm_site(resolve(workspace=workspace, folder=folder)).required_site()
    url = browse_url(site, wanted)
    if only_print:
        echo(url)
    elif not webbrowser.open(url):
        raise NoBrowser(url)
