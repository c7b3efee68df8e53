"""Asks whether the current folder is to become a workspace."""

from __future__ import annotations

from ticketr.app.cli.console import confirm, echo
from ticketr.app.cli.settings import is_interactive, resolve
from ticketr.app.config import NoWorkspace, Workspace


def require_workspace(workspace: Workspace) -> Workspace:
    """Return a workspace whose folder the user has confirmed.

    In a terminal, the user is asked whether the current folder is to become a workspace of the
    site in the environment. A yes does what ``ticketr workspace add`` does, so it is asked once.

    Raises:
        NoWorkspace: The folder is not a workspace, and the answer was no or there is no terminal to
            ask in.
        ConfigError: See `add_workspace`, as for its other errors.
    """
    if workspace.is_known:
        return workspace
    if workspace.site is None or not is_interactive():
        raise NoWorkspace(str(workspace.root), workspace.site)
    from ticketr.app.cli.workspace_add import AddRequest, add_workspace

    echo(f"{workspace.root} is not a workspace yet. JIRA_URL names {workspace.site}.", err=True)
    if not confirm("Make this folder a workspace of that site?"):
        raise NoWorkspace(str(workspace.root), workspace.site)
    add_workspace(AddRequest(folder=workspace.root, project=workspace.project), as_message=True)
    return resolve(folder=workspace.root, project=workspace.project)
