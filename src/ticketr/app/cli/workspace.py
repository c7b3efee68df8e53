"""``ticketr workspace``: add, list, choose and check workspaces."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ticketr._errors import TicketrError
from ticketr.app.cli import exits
from ticketr.app.cli.completion import complete_workspace
from ticketr.app.cli.console import echo, echo_json
from ticketr.app.cli.help import Group

if TYPE_CHECKING:
    from ticketr.app.cli.workspace_add import LoginChecked
    from ticketr.app.config import FoundToken, TokenSource, UserConfig, Workspace


@click.group(cls=Group)
def workspace() -> None:
    """Workspaces: folders of tickets, each with its Jira site and your login there."""


@workspace.command
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
@click.option("--scoped", is_flag=True, help="For a token with scopes: ask for the cloud ID.")
@click.option("--cloud-id", metavar="ID", help="For a token with scopes: the site's cloud ID.")
def add(
    *,
    name: str | None,
    folder: Path | None,
    site: str | None,
    email: str | None,
    project: str | None,
    jql: str | None,
    scoped: bool,
    cloud_id: str | None,
) -> None:
    """Add a workspace, or log in to one again.

    In a terminal this asks for what is missing, the token included; elsewhere nothing asks.
    Before anything is stored, the site is asked whether the login is good and the project there.

    What the team shares goes into ticketr.toml in the folder. The token goes into your keyring,
    or, without one, into a file that only you can read.

    A token with scopes works at Atlassian's gateway alone, which knows the site by its cloud ID.
    With --scoped the site is asked for it, without any login; --cloud-id gives it by hand.
    """
    from ticketr.app.cli.workspace_add import AddRequest, add_workspace

    if scoped and cloud_id is not None:
        raise click.UsageError("say --scoped or --cloud-id, not both")
    add_workspace(AddRequest(name, folder, site, email, project, jql, cloud_id, scoped=scoped))


@workspace.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_(*, as_json: bool) -> None:
    """List the workspaces that you have added; * is the one in use."""
    from ticketr.app.config import config_folder, read_user_config

    config = read_user_config(config_folder(os.environ))
    entries = [_list_entry(name, config) for name in sorted(config.workspaces)]
    if as_json:
        echo_json({"in_use": config.in_use, "workspaces": entries})
        return
    if not entries:
        echo("No workspaces yet; 'ticketr workspace add' adds one.", err=True)
    for entry in entries:
        sign = "*" if entry["in_use"] else " "
        what = entry["problem"] or f"{entry['site']}  {entry['project'] or entry['jql'] or ''}"
        echo(f"{sign} {entry['name']}  {entry['folder']}  {what}".rstrip())


def _list_entry(name: str, config: UserConfig) -> dict[str, object]:
    """Return a workspace's settings as a command resolves them, without a request."""
    from ticketr.app.config import resolve_workspace

    entry = config.workspaces[name]
    data: dict[str, object] = {
        "name": name,
        "folder": str(entry.folder),
        "site": entry.site,
        "email": entry.login.email,
        "project": None,
        "jql": None,
        "in_use": name == config.in_use,
        "problem": None,
    }
    try:
        workspace = resolve_workspace(os.environ, Path.cwd(), name=name)
    except TicketrError as error:
        return {**data, "problem": str(error)}
    problem = None if workspace.doubt is None else str(workspace.doubt)
    return {
        **data,
        "site": workspace.site,
        "email": workspace.login.email,
        "project": workspace.project,
        "jql": workspace.jql,
        "problem": problem,
    }


@workspace.command
@click.argument("name", shell_complete=complete_workspace)
def use(*, name: str) -> None:
    """Choose the workspace that commands use outside of every workspace."""
    from ticketr.app.config import config_folder, use_workspace

    use_workspace(config_folder(os.environ), name)
    echo(f"{name} is in use")


@workspace.command
@click.argument("name", shell_complete=complete_workspace)
def remove(*, name: str) -> None:
    """Forget a workspace and its stored token; its folder and tickets stay as they are.

    A token that another workspace needs as well stays, too.
    """
    import trio

    from ticketr.app.config import (
        LoginEntry,
        config_folder,
        forget_token,
        read_user_config,
        remove_workspace,
    )

    folder = config_folder(os.environ)
    config = read_user_config(folder)
    entry = config.named(name)

    def account(site: str, login: LoginEntry) -> tuple[str, str | None]:
        return site, login.completed_by(config.sites.get(site, LoginEntry())).email

    site, email = account(entry.site, entry.login)
    others = {
        account(workspace_entry.site, workspace_entry.login)
        for workspace_entry in config.workspaces.values()
        if workspace_entry != entry
    }
    gone: tuple[TokenSource, ...] = ()
    if email is not None and (site, email) not in others:
        gone = trio.run(forget_token, os.environ, site, email)
    remove_workspace(folder, name)
    echo(f"{name} is forgotten; its tickets are still in {entry.folder}")
    for source in gone:
        echo(f"its token is taken out of {source.words}")


@workspace.command
@click.argument("name", required=False, shell_complete=complete_workspace)
@click.option(
    "-C",
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Its folder; else the workspace around the current folder.",
)
def trust(*, name: str | None, folder: Path | None) -> None:
    """Say that a workspace's state file is yours, though it does not bear your mark.

    ticketr marks each state file that it makes for you. Another one may have come with a git
    repository: then what that changed would be sent to Jira as your edits. So every command refuses
    it until you say that it is yours: because your config is new, say, or you use the folder on
    another machine. What is in it stays, and so do your edits.
    """
    from ticketr.app.cli.ownership import trust as mark
    from ticketr.app.cli.settings import resolve
    from ticketr.cleaning import clean

    root = resolve(workspace=name, folder=folder).root
    if mark(root):
        click.echo(clean(f"{root} is yours now; 'ticketr status' lists what a push would send"))
    else:
        click.echo(clean(f"{root} has no state file that is not yours; there is nothing to do"))


@workspace.command
@click.argument("name", required=False, shell_complete=complete_workspace)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def check(context: click.Context, *, name: str | None, as_json: bool) -> None:
    """Ask a workspace's site whether the login is good and the project there.

    In a terminal it offers to look for a token with scopes at Atlassian's gateway.

    Without a NAME it is the workspace that other commands would be about.
    """
    from ticketr.app.cli.settings import resolve

    if as_json:
        context.exit(_check_as_json(name))
    workspace, login, answer = _check_site(resolve(workspace=name))
    user = (
        f"{answer.user.display_name} ({login.email})" if login.email else answer.user.display_name
    )
    echo(f"{workspace.name}: you are {user} at {workspace.site}")
    echo(f"token from {login.source.words}")
    if answer.project is not None:
        echo(f"project {answer.project.key}: {answer.project.name}")


def _check_site(workspace: Workspace) -> tuple[Workspace, FoundToken, LoginChecked]:
    from ticketr.app.cli.settings import confirm_site, find_or_ask_token
    from ticketr.app.cli.workspace_add import offer_gateway
    from ticketr.app.jira import AuthenticationFailed

    workspace = confirm_site(workspace)
    login = find_or_ask_token(workspace)
    if workspace.project is None and workspace.project_problem is not None:
        raise workspace.project_problem
    try:
        return workspace, login, _ask_site(workspace, login)
    except AuthenticationFailed:
        offered = offer_gateway(workspace)
        if offered is None:
            raise
    answer = _ask_site(offered, login)
    _keep_cloud_id(offered)
    return offered, login, answer


def _ask_site(workspace: Workspace, login: FoundToken) -> LoginChecked:
    import trio

    from ticketr.app.cli.settings import make_credentials
    from ticketr.app.cli.workspace_add import check_login

    look = partial(
        check_login,
        make_credentials(login, workspace.login.cloud_id),
        site=workspace.required_site(),
        project=workspace.project,
        project_place=workspace.project_place,
        fields=workspace.fields,
    )
    return trio.run(look)


def _keep_cloud_id(workspace: Workspace) -> None:
    """Store the site's cloud ID if the user has added the workspace, else print how to."""
    from ticketr.app.config import config_folder, read_user_config, store_workspace

    cloud_id, folder = workspace.login.cloud_id, config_folder(os.environ)
    entry = read_user_config(folder).at(workspace.root)
    if entry is None or entry.site != workspace.site:
        command = f"ticketr workspace add --cloud-id {cloud_id}"
        echo(f"to keep the cloud ID: {command}", err=True)
        return
    store_workspace(folder, replace(entry, login=replace(entry.login, cloud_id=cloud_id)))
    echo(f"the cloud ID {cloud_id} is in your config now", err=True)


def _check_as_json(name: str | None) -> int:
    """Print the answer or the error as JSON, and return the exit code."""
    from ticketr.app.cli.settings import resolve

    data: dict[str, object] = dict.fromkeys(
        ("name", "folder", "site", "token_source", "user", "project", "reason", "problem")
    )
    data |= {"name": name, "ok": False}
    code = exits.DONE
    try:
        workspace = resolve(workspace=name)
        data |= {"name": workspace.name, "folder": str(workspace.root), "site": workspace.site}
        workspace, login, answer = _check_site(workspace)
        data |= {"ok": True, "token_source": login.source.value, **_as_json(answer)}
    except TicketrError as error:
        reason = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
        data |= {"reason": reason, "problem": str(error)}
        code = exits.for_error(error)
    echo_json(data)
    return code


def _as_json(answer: LoginChecked) -> dict[str, object]:
    user, project = answer.user, answer.project
    return {
        "user": {"id": user.account_id, "name": user.display_name, "email": user.email or None},
        "project": {"key": project.key, "name": project.name} if project else None,
    }
