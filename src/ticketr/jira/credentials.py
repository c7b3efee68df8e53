"""Who is asking, and the rule that a token goes only to the site that it was stored for."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from ticketr.jira.errors import BadSite, InsecureSite, WrongSite

GATEWAY = "api.atlassian.com"
"""Where tokens with scopes are used; the site is a part of the path there."""

_PORTS = {"http": 80, "https": 443}
HIDDEN = "[hidden]"
# A shorter one, as a sandbox has, may well be a word of the text.
_SHORTEST_SECRET = 8


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account of one Jira site.

    The token is in no repr, and an object with a token in it refuses to be pickled.

    Attributes:
        site: The site's address; a path, such as a context path or ``/ex/jira/CLOUD_ID``, is
            part of it.
        email: The account's e-mail.
        token: Its API token.
    """

    site: str
    email: str
    token: str = field(repr=False)

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: they would take the token along")

    def authorization(self, url: str) -> str:
        """Give the header that lets a request in.

        Args:
            url: Where the request goes.

        Returns:
            The value of ``Authorization``.

        Raises:
            WrongSite: That address is not below the site that the token was stored for.
        """
        if not is_below(url, self.site):
            raise WrongSite(url, self.site)
        return f"Basic {self._pair()}"

    def redact(self, text: str) -> str:
        """Take the token out of words that came from a server.

        Args:
            text: Any text.

        Returns:
            The text without the token, plain or as the header holds it.
        """
        text = text.replace(self._pair(), HIDDEN)
        if len(self.token) < _SHORTEST_SECRET:
            return text
        return text.replace(self.token, HIDDEN)

    def _pair(self) -> str:
        return base64.b64encode(f"{self.email}:{self.token}".encode()).decode()


def normalise_site(site: str, *, allow_http: bool = False) -> str:
    """Check the address of a site and write it in one way.

    Args:
        site: The address as the user wrote it.
        allow_http: Whether plain http may leave this machine.

    Returns:
        The address without a trailing slash.

    Raises:
        BadSite: It is no address, or holds more than an address.
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
    """Tell whether an address is the site's or below it, in the same scheme, host and port."""
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
    """Tell whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    """Split an address, refusing what other readers of it might split elsewhere."""
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
