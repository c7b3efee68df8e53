"""Asks a site whether a login is good, and whether the project is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.config import BadSetting, checked_site
from ticketr.jira import Rejected, open_jira
from ticketr.sync import Columns

if TYPE_CHECKING:
    from ticketr.config import WantedField
    from ticketr.jira import Credentials, JiraClient, Project, User
    from ticketr.jira.transport import Transport


@dataclass(frozen=True, slots=True)
class SiteAnswer:
    """What a site answered.

    Attributes:
        user: Who is asking.
        project: The project asked for; None where none was.
    """

    user: User
    project: Project | None


async def check_site(
    credentials: Credentials,
    *,
    site: str,
    project: str | None,
    fields: tuple[WantedField, ...] = (),
    transport: Transport | None = None,
) -> SiteAnswer:
    """Ask a site who we are, and for a project.

    Args:
        credentials: The login.
        site: The site as browsers know it; another address than the login's behind a gateway.
        project: A project's key.
        fields: Further fields that the files are to hold.
        transport: Another way to reach the site than httpx.

    Raises:
        JiraError: It could not be asked, or refused.
        BadSetting: The cloud ID is that of another site.
        UnknownField: The site lacks one of the fields.
        UnsupportedField: Files cannot hold one of them.
    """
    async with open_jira(credentials, transport=transport) as jira:
        user = await jira.myself()
        if credentials.site != site:
            await _check_gateway(jira, site)
        seen = SiteAnswer(user, await jira.project(project) if project else None)
        if fields:
            Columns.of(await jira.fields(), fields)
        return seen


async def _check_gateway(jira: JiraClient, site: str) -> None:
    """See that the gateway leads to this very site, where it tells."""
    try:
        told = (await jira.server_info()).base_url
    except Rejected:  # a token with few scopes may not ask for this
        return
    try:
        behind = checked_site("the site behind the gateway", told) if told else site
    except BadSetting:
        return
    if behind != site:
        cloud_id = jira.site.rpartition("/")[2]
        raise BadSetting("the cloud ID", cloud_id, f"it is that of {behind}, not of {site}")
