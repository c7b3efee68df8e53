"""Finds the way to a site for a token with scopes: Atlassian's gateway, by the site's cloud ID."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click
import trio

from ticketr.cli.output import echo
from ticketr.cli.settings import is_interactive
from ticketr.config import MissingSetting
from ticketr.jira import (
    BadAnswer,
    JiraError,
    Redirected,
    Rejected,
    ask_cloud_id,
    gateway_site,
)

if TYPE_CHECKING:
    from ticketr.config import Workspace


def find_cloud_id(site: str) -> str:
    """Ask a site for its cloud ID; nothing of a login is sent. Not to be called inside Trio.

    Args:
        site: The site's address, as the user confirmed it.

    Raises:
        MissingSetting: The site answers, and tells none.
        JiraError: It could not be asked.
    """
    try:
        return trio.run(ask_cloud_id, site)
    except (BadAnswer, Rejected, Redirected) as error:
        hint = f"{error.url} tells none ({_why(error)}); open it in a browser, or ask who runs the site"
        raise MissingSetting(("--cloud-id",), hint) from error


def _why(error: BadAnswer | Rejected | Redirected) -> str:
    match error:
        case BadAnswer():
            return error.problem
        case Rejected():
            return f"status {error.status}"
        case Redirected():
            return "it sends elsewhere"


def offer_gateway(workspace: Workspace) -> Workspace | None:
    """Where a site has refused a login, ask in a terminal whether to try the gateway.

    It takes a yes: until then the token was for the site's own address alone.

    Args:
        workspace: Whose site it is.

    Returns:
        The workspace with the site's cloud ID; None if it had one, the site tells none, nobody is
        there to be asked, or the user said no.
    """
    if workspace.login.cloud_id is not None or not is_interactive():
        return None
    site = workspace.required_site()
    try:
        cloud_id = find_cloud_id(site)
    except (MissingSetting, JiraError):  # then the refusal is all that there is to tell
        return None
    gateway = gateway_site(cloud_id, site)
    echo(f"{site} does not take this token.", err=True)
    echo(f"One with scopes is taken at the gateway alone: {gateway}", err=True)
    if not click.confirm("Has it scopes, and may it be sent there?", err=True):
        return None
    return replace(workspace, login=replace(workspace.login, cloud_id=cloud_id))
