"""An account and its token, which is sent only to the site that it was stored for."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from ticketr.app.jira.errors import BadSite, BadToken, InsecureSite, WrongSite
from ticketr.app.jira.redaction import redact

#: The host that takes tokens with scopes; the path of the address names the site.
GATEWAY = "api.atlassian.com"

_CLOUD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_TOKEN = re.compile(r"[!-~]+")
_PORTS = {"http": 80, "https": 443}
# A shorter token, such as a sandbox's, may be an ordinary word of a text.
_SHORTEST_SECRET = 8


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account of one Jira site.

    The token is in no repr, and an object with a token in it refuses to be pickled.

    Attributes:
        site: The site's address; a path, such as a context path, is part of it. A token with
            scopes is used at `gateway_site` instead.
        email: The account's e-mail. Empty for a token that stands alone, as a service
            account's does.
        token: Its API token.
    """

    site: str
    email: str
    token: str = field(repr=False)

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: they would take the token along")

    def authorization(self, url: str) -> str:
        """Return the ``Authorization`` header of a request.

        Returns:
            The value of ``Authorization``.

        Raises:
            WrongSite: That address is not below the site that the token was stored for.
            BadToken: The token cannot be sent.
        """
        if not is_below(url, self.site):
            raise WrongSite(url, self.site)
        if self.email:
            pair = f"{self.email}:{self.token}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        # Refused here: the HTTP packages would refuse it with an error that repeats the token.
        if not _TOKEN.fullmatch(self.token):
            raise BadToken(self.site, "it holds something that no token holds")
        return f"Bearer {self.token}"

    def redact(self, text: str) -> str:
        """Remove the token from a server's text.

        Returns:
            The text itself where it does not hold the token; else one clean line without it,
            plain or as the header holds it, however it was broken up or written.
        """
        return redact(text, self._secrets())

    def _secrets(self) -> Iterator[str]:
        """Yield the token and its encodings in headers and addresses, which must not be shown."""
        encoded = [f"{self.email}:{self.token}"]
        if len(self.token) >= _SHORTEST_SECRET:
            yield self.token
            encoded.append(self.token)
        for text in encoded:
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                secret = encode(text.encode("utf-8", "replace")).decode()
                yield from (secret, secret.rstrip("="))


def gateway_site(cloud_id: str, site: str = "") -> str:
    """Return the gateway's address of a site, which takes tokens with scopes.

    Args:
        cloud_id: The site's ID, such as ``11223344-a1b2-3b33-c444-def123456789``.
        site: The site's own address. One on this machine, such as a sandbox, is its own gateway:
            Atlassian's does not know it, and must not get a token for it.

    Returns:
        The address, as `Credentials.site`.

    Raises:
        BadSite: That is not an ID.
    """
    cloud_id = cloud_id.strip()
    is_here = is_loopback(_split(site).hostname or "")
    gateway = f"{site if is_here else f'https://{GATEWAY}'}/ex/jira/{cloud_id}"
    if not _CLOUD_ID.fullmatch(cloud_id):
        raise BadSite(gateway, "a cloud ID holds letters, digits and dashes only")
    return gateway


def is_gateway(site: str) -> bool:
    """Return whether an address is that of Atlassian's gateway, which serves no browsers."""
    return _split(site).hostname == GATEWAY


def normalise_site(site: str, *, allow_http: bool = False) -> str:
    """Check the address of a site and return its normal form.

    Args:
        site: The address as the user wrote it.
        allow_http: Whether plain http to other machines is allowed.

    Returns:
        The address without a trailing slash.

    Raises:
        BadSite: It is not an address, or holds more than an address.
        InsecureSite: It is plain http to another machine.
    """
    parts = _split(site.strip())
    if parts.scheme not in _PORTS:
        raise BadSite(site, "it does not begin with https://")
    if not parts.hostname:
        raise BadSite(site, "it names no host")
    if parts.username is not None or parts.password is not None:
        raise BadSite(site, "it holds a user or a password")
    if parts.query or parts.fragment:
        raise BadSite(site, "it holds a query")
    if any(step in {".", ".."} for step in parts.path.split("/")):
        raise BadSite(site, "its path holds dots")
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname):
        raise InsecureSite(site)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def is_below(url: str, site: str) -> bool:
    """Return whether an address is the site's or below it, in the same scheme, host and port."""
    try:
        ours, theirs = _split(site), _split(url)
    except BadSite:
        return False
    if _origin(ours) != _origin(theirs):
        return False
    base = ours.path.rstrip("/")
    if any(step in {".", ".."} for step in theirs.path.split("/")):
        return False
    return theirs.path == base or theirs.path.startswith(f"{base}/")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    """Split an address; refuse one that other programs might split in another place."""
    if any(ord(character) <= 0x20 or character in "\\\x7f" for character in url):
        raise BadSite(url, "it holds a space or another character that no address has")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise BadSite(url, str(error)) from None
    return parts


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
