"""Reads what a site tells without a login: its kind and version, and its cloud ID."""

from __future__ import annotations

import re
from functools import partial

import trio

from ticketr._version import __version__
from ticketr.app.jira.credentials import normalise_site
from ticketr.app.jira.errors import BadAnswer, NoJira, NotCloud, NotFound
from ticketr.app.jira.json_response import JsonResponse, raise_for_status
from ticketr.app.jira.models import ServerInfo
from ticketr.app.jira.transport import Request, Transport, open_transport

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
        JiraError: The request failed.
    """
    site = normalise_site(site)
    async with await _loaded(transport) as opened:
        answer = await _get_without_login(f"{site}/{TENANT_INFO}", opened)
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
        NotCloud: It is a Jira Data Center.
        NoJira: No Jira answers at this address.
        Rejected: It tells nothing without a login.
        Redirected: It sends elsewhere.
        JiraError: The request failed.

    Cancellation:
        Takes effect at once, inside the request too.
    """
    site = normalise_site(site)
    async with await _loaded(transport) as opened:
        return await check_kind(site, opened)


async def check_kind(site: str, transport: Transport) -> ServerInfo:
    """Return a site's information if it is one that ticketr works with; no login is sent.

    Args:
        site: The site's address, in its normal form.
        transport: The HTTP adapter; it is open.

    Raises:
        NotCloud: It is a Jira Data Center.
        NoJira: No Jira answers at this address.
        JiraError: It did not tell its kind.
    """
    try:
        answer = await _get_without_login(f"{site}/{SERVER_INFO}", transport)
        info = ServerInfo.read(answer.object())
    except (NotFound, BadAnswer):
        raise NoJira(site) from None
    if info is None:
        raise NoJira(site)
    if info.deployment_type not in {"Cloud", ""}:
        raise NotCloud(site, info.version)
    return info


async def _loaded(transport: Transport | None) -> Transport:
    """Return a transport, which is the default one if none is given."""
    if transport is not None:
        return transport
    # In a thread, since importing the HTTP package takes a tenth of a second.
    return await trio.to_thread.run_sync(partial(open_transport, largest_body=_LARGEST))


async def _get_without_login(url: str, opened: Transport) -> JsonResponse:
    headers = {"accept": "application/json", "user-agent": f"ticketr/{__version__}"}
    response = await opened.send(Request("GET", url, headers))
    raise_for_status(response, redact=str)
    return await JsonResponse.read(response)
