"""Reads what a site tells without a login: its kind and version, and its cloud ID."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr._version import __version__
from ticketr.jira.credentials import normalise_site
from ticketr.jira.json_response import JsonResponse, raise_for_status
from ticketr.jira.models import ServerInfo
from ticketr.jira.transport import Request, open_transport

if TYPE_CHECKING:
    from ticketr.jira.transport import Transport

#: The path of the cloud ID, below the site's address.
TENANT_INFO = "_edge/tenant_info"
#: The path of the server's information, in the version of the API that every kind of site has.
SERVER_INFO = "rest/api/2/serverInfo"

_CLOUD_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LARGEST = 64 * 1024


async def ask_cloud_id(site: str, *, transport: Transport | None = None) -> str:
    """Return the cloud ID of a Cloud site.

    No login is needed, so none is sent. The answer becomes part of an address that a token is sent
    to, so it must have the exact form of such an ID.

    Args:
        site: The site's address.
        transport: The HTTP adapter; opened and closed here. The default uses httpx.

    Returns:
        The ID, as `gateway_site` takes it.

    Raises:
        BadSite: The site's address cannot be used.
        InsecureSite: It is plain http to another machine, and the answer could be forged.
        Rejected: The site has none, since it is not a Cloud site.
        Redirected: It sends elsewhere.
        BadAnswer: The answer is no cloud ID.
        JiraError: It could not be asked.
    """
    answer = await _get_without_login(f"{normalise_site(site)}/{TENANT_INFO}", transport)
    cloud_id = answer.object().get("cloudId")
    if not isinstance(cloud_id, str) or not _CLOUD_ID.fullmatch(cloud_id):
        raise answer.unusable("no cloud ID")
    return cloud_id.lower()


async def ask_server_info(site: str, *, transport: Transport | None = None) -> ServerInfo:
    """Return a site's information; no login is sent.

    Args:
        site: The site's address.
        transport: The HTTP adapter; opened and closed here. The default uses httpx.

    Raises:
        BadSite: The site's address cannot be used.
        InsecureSite: It is plain http to another machine, and the answer could be forged.
        Rejected: It is not Jira, or tells nothing without a login.
        Redirected: It sends elsewhere.
        BadAnswer: The answer is not Jira's.
        JiraError: It could not be asked.

    Cancellation:
        Takes effect at once, inside the request too.
    """
    answer = await _get_without_login(f"{normalise_site(site)}/{SERVER_INFO}", transport)
    info = ServerInfo.read(answer.object())
    if info is None:
        raise answer.unusable("it tells no version")
    return info


async def _get_without_login(url: str, transport: Transport | None) -> JsonResponse:
    headers = {"accept": "application/json", "user-agent": f"ticketr/{__version__}"}
    if transport is None:
        # In a thread, since importing the HTTP package takes a tenth of a second.
        load = partial(open_transport, largest_body=_LARGEST)
        transport = await trio.to_thread.run_sync(load)
    async with transport as opened:
        response = await opened.send(Request("GET", url, headers))
    raise_for_status(response, redact=str)
    return await JsonResponse.read(response)
