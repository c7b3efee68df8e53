"""``ticketr workspace``: add, list, choose and check workspaces."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ticketr._errors import TicketrError
from ticketr.app import config
from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_workspace
from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import Group
from ticketr.app.cli.options import folder_option, json_option
from ticketr.app.cli.ownership import mark_unmarked_state_and_history
from ticketr.app.cli.settings import find_token, find_workspace


@click.group(
    cls=Group,
    examples={
        "ticketr workspace add": "Add one; this asks for what is missing.",
        "ticketr workspace list": "List what you have added.",
    },
    exits=exits.REMOTE_EXITS_WITHOUT_PARTLY,
)
def workspace() -> None:
    """Workspaces: folders of tickets, each with its Jira site and your login there."""


@workspace.command(
    examples={
        "ticketr workspace add": "Add the current folder.",
        "ticketr workspace add shop -C ~/shop --site https://you.atlassian.net -p SHOP": (
            "Add another, under this name."
        ),
    },
    exits=exits.REMOTE_EXITS_WITHOUT_PARTLY,
)
@click.argument("name", required=False, shell_complete=complete_workspace)
@click.option(
    "-C",
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Its folder; else the workspace around the current folder, or that folder itself.",
)
@click.option("--site", metavar="URL", help="Its Jira site, like https://you.atlassian.net.")
@click.option("--email", help="The e-mail address of your account there.")
@click.option("-p", "--project", metavar="KEY", help="The project of its tickets.")
@click.option("--jql", metavar="QUERY", help="A query to pull by, instead of the whole project.")
@click.option(
    "--scoped",
    "has_scoped_token",
    is_flag=True,
    help="For a token with scopes: ask for the cloud ID.",
)
def add(**values: Any) -> None:
    """Add a workspace, or log in to one again.

    In a terminal this asks for what is missing, the token included; elsewhere nothing asks.
    Before anything is stored, the site is asked whether the login is good and the project there.

    What the team shares goes into ticketr.toml in the folder. The token goes into your keyring,
    or, without one, into a file that only you can read.

    A token with scopes works at Atlassian's gateway alone, which knows the site by its cloud ID.
    With --scoped the site is asked for it, without any login.
    """
    from ticketr.app.cli.workspace_add import AddRequest, add_workspace

    add_workspace(AddRequest(**values))


@workspace.command(
    "list",
    examples={"ticketr workspace list": "List them; * is the one in use."},
)
@json_option
def list_(*, as_json: bool) -> None:
    """List the workspaces that you have added; * is the one in use."""
    user_config = config.read_user_config(config.config_folder(os.environ))
    entries = [_entry_as_json(name, user_config) for name in sorted(user_config.workspaces)]
    if as_json:
        echo_json({"in_use": user_config.fallback_workspace, "workspaces": entries})
        return
    if not entries:
        echo("No workspaces yet; 'ticketr workspace add' adds one.", err=True)
    for entry in entries:
        sign = "*" if entry["in_use"] else " "
        what = entry["problem"] or f"{entry['site']}  {entry['project'] or entry['jql'] or ''}"
        echo(f"{sign} {entry['name']}  {entry['folder']}  {what}".rstrip())


def _entry_as_json(name: str, user_config: config.UserConfig) -> dict[str, object]:
    """Return a workspace's settings as a command resolves them, without a request."""
    entry = user_config.workspaces[name]
    data: dict[str, object] = {
        "name": name,
        "folder": str(entry.folder),
        "site": entry.confirmed_site,
        "email": entry.login.email,
        "project": None,
        "jql": None,
        "in_use": name == user_config.fallback_workspace,
        "problem": None,
    }
    try:
        workspace = config.resolve_workspace(os.environ, Path.cwd(), name=name)
    except TicketrError as error:
        return data | {"problem": str(error)}
    return data | {
        "site": workspace.site,
        "email": workspace.login.email,
        "project": workspace.project,
        "jql": workspace.jql,
        "problem": str(workspace.site_error) if workspace.site_error else None,
    }


@workspace.command(
    examples={"ticketr workspace use shop": "Use this one outside of every workspace."},
)
@click.argument("name", shell_complete=complete_workspace)
def use(*, name: str) -> None:
    """Choose the workspace that commands use outside of every workspace."""
    config.use_workspace(config.config_folder(os.environ), name)
    echo(f"{name} is in use")


@workspace.command(
    examples={"ticketr workspace remove shop": "Forget this one, and its login."},
)
@click.argument("name", shell_complete=complete_workspace)
def remove(*, name: str) -> None:
    """Forget a workspace and its stored token; its tickets stay.

    Nothing in its folder is changed. A token that another workspace needs as well stays, too.
    """
    folder = config.config_folder(os.environ)
    user_config = config.read_user_config(folder)
    entry = user_config.workspace_named(name)

    def account(site: str, login: config.LoginEntry) -> tuple[str, str | None]:
        return site, login.completed_by(
            user_config.login_by_site.get(site, config.LoginEntry())
        ).email

    site, email = account(entry.confirmed_site, entry.login)
    others = {
        account(workspace_entry.confirmed_site, workspace_entry.login)
        for workspace_entry in user_config.workspaces.values()
        if workspace_entry != entry
    }
    gone: tuple[config.TokenSource, ...] = ()
    if email is not None and (site, email) not in others:
        gone = config.forget_token(folder, site, email)
    config.remove_workspace(folder, name)
    echo(f"{name} is forgotten; its tickets are still in {entry.folder}")
    for source in gone:
        echo(f"its token is taken out of {source.value}")


@workspace.command(
    examples={"ticketr workspace trust": "Trust the one around the current folder."},
)
@click.argument("name", required=False, shell_complete=complete_workspace)
@folder_option
def trust(*, name: str | None, folder: Path | None) -> None:
    """Say that a workspace's state file is yours.

    ticketr marks each state file that it makes for you. One without the mark may have come with a git
    repository: then what that changed would be sent to Jira as your edits. So every command refuses
    it until you say that it is yours: because your config is new, say, or you use the folder on
    another machine. What is in it stays, and so do your edits.
    """
    root = find_workspace(workspace=name, folder=folder).root
    if mark_unmarked_state_and_history(root):
        echo(f"{root} is yours now; 'ticketr status' lists what a push would send")
    else:
        echo(f"{root} has no state file that is not yours; there is nothing to do")


@workspace.command(
    examples={"ticketr workspace check shop": "Check one workspace."},
    exits=exits.REMOTE_EXITS_WITHOUT_PARTLY,
)
@click.argument("name", required=False, shell_complete=complete_workspace)
def check(*, name: str | None) -> None:
    """Ask the site whether login and project are good.

    Without a NAME it is the workspace that other commands would be about.
    """
    from ticketr.app.cli.workspace_add import check_workspace_login

    workspace = find_workspace(workspace=name)
    login = find_token(workspace)
    user, project = check_workspace_login(workspace, login)
    account = f" ({login.email})" if login.email else ""
    echo(f"{workspace.name}: you are {user.display_name}{account} at {workspace.site}")
    echo(f"token from {login.source.value}")
    if project is not None:
        echo(f"project {project.key}: {project.name}")
