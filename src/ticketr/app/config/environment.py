"""Reads the settings in the environment, with the variable names of the original program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ticketr.app.config.checks import checked_project, checked_site
from ticketr.app.config.errors import BadSetting, ConfigError

URL_NAMES = ("JIRA_URL",)
TOKEN_NAMES = ("JIRA_API_TOKEN", "JIRA_API_KEY")
PROJECT_NAMES = ("JIRA_PROJECT_KEY", "JIRA_PROJECT")


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings in the environment.

    Attributes:
        site: The site's address, without a trailing slash.
        email: The account's e-mail address.
        token: Its API token; never shown.
        project: The project's key.
        project_place: The name of the setting that has it, for people.
        project_problem: Why the project's key is unusable; raised where a project is needed.
        story_type: The type of a new ticket that names none.
        subtask_type: The type of a new sub-task that names none.
    """

    site: str | None = None
    email: str | None = None
    token: str | None = field(default=None, repr=False)
    project: str | None = None
    project_place: str = ""
    project_problem: ConfigError | None = None
    story_type: str | None = None
    subtask_type: str | None = None


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Read the settings in the environment.

    Raises:
        BadSetting: The address cannot be one.
    """
    url_name, url = _first_set(environ, URL_NAMES)
    name, key = _first_set(environ, PROJECT_NAMES)
    project, problem = None, None
    try:
        project = checked_project(name, key) if key else None
    except BadSetting as error:
        problem = error
    return Environment(
        site=checked_site(url_name, url) if url else None,
        email=_first_set(environ, ("JIRA_EMAIL",))[1] or None,
        token=_first_set(environ, TOKEN_NAMES)[1] or None,
        project=project,
        project_place=name,
        project_problem=problem,
        story_type=_first_set(environ, ("JIRA_STORY_TYPE",))[1] or None,
        subtask_type=_first_set(environ, ("JIRA_SUBTASK_TYPE",))[1] or None,
    )


def _first_set(environ: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    for name in names:
        if value := environ.get(name, "").strip():
            return name, value
    return names[0], ""
