"""What a Cloud site tells anybody who asks: the ID that Atlassian's gateway knows it by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ticketr._version import __version__
from ticketr.jira.answers import Answer, raise_for_status
from ticketr.jira.credentials import normalise_site
from ticketr.jira.transport import Request, open_transport

if TYPE_CHECKING:
    from ticketr.jira.transport import Transport

TENANT_INFO = "_edge/tenant_info"
"""Where it is told, below the site's address."""

_CLOUD_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LARGEST = 64 * 1024


async def ask_cloud_id(site: str, *, transport: Transport | None = None) -> str:
    """Ask a Cloud site for its cloud ID.

    Nobody has to log in for that, so nothing of a login is sent; and since the answer becomes
    part of an address that a token is sent to, it is taken only if it is such an ID to the letter.

    Args:
        site: The site's address.
        transport: Who speaks HTTP; opened and closed here. The default uses httpx.

    Returns:
        The ID, as `gateway_site` takes it.

    Raises:
        BadSite: The site's address cannot be used.
        InsecureSite: It is plain http to another machine, whose answer anybody could forge.
        Rejected: The site tells none, as one that is no Cloud site.
        Redirected: It sends elsewhere.
        BadAnswer: It tells something else.
        JiraError: It could not be asked.
    """
    url = f"{normalise_site(site)}/{TENANT_INFO}"
    headers = {"accept": "application/json", "user-agent": f"ticketr/{__version__}"}
    async with transport or open_transport(largest_body=_LARGEST) as way:
        response = await way.send(Request("GET", url, headers))
    raise_for_status(response, redact=str)
    answer = await Answer.read(response)
    cloud_id = answer.object().get("cloudId")
    if not isinstance(cloud_id, str) or not _CLOUD_ID.fullmatch(cloud_id):
        raise answer.unusable("no cloud ID")
    return cloud_id.lower()
