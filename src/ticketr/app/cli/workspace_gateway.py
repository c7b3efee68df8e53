"""Finds a site's cloud ID, by which tokens with scopes reach it at Atlassian's gateway."""

from __future__ import annotations

from dataclasses import replace

import trio

from ticketr.app.cli.console import confirm, echo
from ticketr.app.cli.settings import is_interactive
from ticketr.app.config import MissingSetting, Workspace
from ticketr.app.jira import BadAnswer, JiraError, Redirected, Rejected, ask_cloud_id, gateway_site


def find_cloud_id(site: str) -> str:
    """Ask a site for its cloud ID, without any login.

    Not to be called inside Trio.

    Args:
        site: The site's URL, as the user confirmed it.

    Raises:
        MissingSetting: The site's answer holds no cloud ID.
        JiraError: The site could not be reached.
    """
    try:
        return trio.run(ask_cloud_id, site)
    except (BadAnswer, Rejected, Redirected) as error:
        hint = f"{error.url} tells none ({_reason(error)}); open it in a browser, or ask who runs the site"
        raise MissingSetting(("--cloud-id",), hint) from error


def _reason(error: BadAnswer | Rejected | Redirected) -> str:
    match error:
        case BadAnswer():
            return error.problem
        case Rejected():
            return f"status {error.status}"
        case Redirected():
            return "it sends elsewhere"


def offer_gateway(workspace: Workspace) -> Workspace | None:
    """Ask in a terminal whether to try the gateway, after a site has refused a login.

    Without a yes the token is sent to the site's own address only.

    Returns:
        The workspace with the site's cloud ID. None if it had one, the site has none, there is no
        terminal to ask in, or the answer was no.
    """
    if workspace.login.cloud_id is not None or not is_interactive():
        return None
    site = workspace.required_site()
    try:
        cloud_id = find_cloud_id(site)
    except (MissingSetting, JiraError):  # then the caller reports the refusal
        return None
    gateway = gateway_site(cloud_id, site)
    echo(f"{site} does not take this token.", err=True)
    echo(f"One with scopes is taken at the gateway alone: {gateway}", err=True)
    if not confirm("Does it have scopes, and may it be sent there?"):
        return None
    return replace(workspace, login=replace(workspace.login, cloud_id=cloud_id))
