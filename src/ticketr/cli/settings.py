"""From what the user set to a pull."""

from __future__ import annotations

import os
from pathlib import Path

from ticketr.config import MissingSetting, find_workspace, load_settings
from ticketr.jira import Credentials
from ticketr.sync import PullJob


def pull_from_settings(
    *,
    project: str | None = None,
    jql: str | None = None,
    folder: Path | None = None,
    full: bool = False,
) -> PullJob:
    """Make a pull from the environment and a command's own options, which win.

    Raises:
        MissingSetting: something that is needed is nowhere set.
        BadSetting: something that is set cannot be used.
    """
    settings = load_settings(os.environ, project=project)
    if settings.project is None and jql is None:
        raise MissingSetting(
            ("JIRA_PROJECT_KEY", "--project"), "which project to pull, or give a query by --jql"
        )
    return PullJob(
        root=folder.absolute() if folder else find_workspace(Path.cwd()),
        credentials=Credentials(settings.url, settings.email, settings.token),
        project=None if jql else settings.project,
        jql=jql,
        full=full,
    )
