"""Checks a login, a project and fields at a site."""

from __future__ import annotations

from dataclasses import dataclass

from ticketr.app.config import BadSetting, WantedField, checked_site
from ticketr.app.jira import Credentials, JiraClient, Project, Rejected, User, open_jira
from ticketr.app.jira.transport import Transport
from ticketr.app.sync import Columns, naming_project


@dataclass(frozen=True, slots=True)
class LoginChecked:
    """The answer of a site to `check_login`.

    Attributes:
        user: The user of the login.
        project: The project; None if none was requested.
    """

    user: User
    project: Project | None


async def check_login(
    credentials: Credentials,
    *,
    site: str,
    project: str | None,
    project_place: str = "",
    fields: tuple[WantedField, ...] = (),
    transport: Transport | None = None,
) -> LoginChecked:
    """Ask a site for the user of a login, and for a project.

    Args:
        credentials: The login.
        site: The site's URL in a browser; behind a gateway the login has another one.
        project: The project's key, if any.
        project_place: The setting that names it, for people; empty if it was typed.
        fields: The mapped fields, which the site must have.
        transport: The transport to use instead of httpx.

    Raises:
        JiraError: The site could not be reached, or refused.
        BadSetting: The cloud ID is that of another site.
        UnknownProject: The site does not have the project.
        UnknownField: The site lacks one of the fields.
        UnsupportedField: Files cannot hold one of them.
    """
    async with open_jira(credentials, transport=transport) as jira:
        user = await jira.myself()
        if credentials.site != site:
            await _check_gateway(jira, site)
        async with naming_project(jira, project, place=project_place, site=site):
            answer = LoginChecked(user, await jira.project(project) if project else None)
        if fields:
            Columns.of(await jira.fields(), fields)
        return answer


async def _check_gateway(jira: JiraClient, site: str) -> None:
    """Raise if the gateway leads to another site, as far as it can be asked."""
    try:
        reported_url = (await jira.server_info()).base_url
    except Rejected:  # the scopes of the token may not cover this
        return
    try:
        behind = checked_site("the site behind the gateway", reported_url) if reported_url else site
    except BadSetting:
        return
    if behind != site:
        cloud_id = jira.site.rpartition("/")[2]
        raise BadSetting("the cloud ID", cloud_id, f"it is that of {behind}, not of {site}")
