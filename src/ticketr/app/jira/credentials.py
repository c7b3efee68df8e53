"""An account and its token, which is sent only to the site that it was stored for."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import urlsplit

from ticketr.app.config.checks import checked_cloud_id, checked_site
from ticketr.app.config.errors import BadSetting
from ticketr.app.jira.errors import TokenOfOtherSite
from ticketr.cleaning import clean

#: What replaces a secret.
REDACTED_TEXT = "[hidden]"

# The parts that are skipped or decoded. An escaped control sequence is skipped as a whole, and so is
# everything but visible ASCII: no token contains it, and it may split a token.
_DECODED_OR_SKIPPED_REGEX = r"""
      (?:\\+x1b|\\+u001b|%(?:25)*1b)(?:(?:\[|%(?:25)*5b)[0-?]*[\x20-/]*[@-~])?
    | \\+x(?P<byte>[0-9a-f]{2}) | \\+u(?P<unit>[0-9a-f]{4})
    | %(?:25)*(?P<percent>[0-9a-f]{2})
    | &\#(?P<decimal>[0-9]{1,7});? | &\#x(?P<entity>[0-9a-f]{1,6});?
    | &(?:shy|nbsp|zwn?j|zerowidthspace);
    | \\+[abefnrtv0] | \\+(?P<quoted>[!-/:-@\[-`{-~])
    | [^!-~]+
"""
_DECODED_OR_SKIPPED = re.compile(_DECODED_OR_SKIPPED_REGEX, re.IGNORECASE | re.VERBOSE)
# The signs that begin an escape, and what is skipped in a text without them.
_ESCAPE_SIGNS_IN_SERVER_TEXT = frozenset("\\%&")
_NOT_VISIBLE_ASCII = re.compile(r"[^!-~]+", re.IGNORECASE)


def _decoded_visible_lowercase(text: str) -> str:
    """Return the visible characters of a text, its escapes decoded, in lower case."""
    if _ESCAPE_SIGNS_IN_SERVER_TEXT.isdisjoint(text):  # as in nearly every text
        return _NOT_VISIBLE_ASCII.sub("", text).lower()
    return _DECODED_OR_SKIPPED.sub(_decode_escape, text).lower()


def _decode_escape(special: re.Match[str]) -> str:
    """Return the character of an escape; empty for an invisible one."""
    form = special.lastgroup
    if form is None:
        return ""
    written = special[form]
    if form == "quoted":
        return written
    letter = int(written, 10 if form == "decimal" else 16)
    return chr(letter) if 0x21 <= letter <= 0x7E else ""


#: The host that takes tokens with scopes; the path of the address names the site.
API_GATEWAY_HOST = "api.atlassian.com"

_SITE_SETTING_NAME = "the site"
# A shorter token, such as a sandbox's, may be an ordinary word of a text.
_MIN_SECRET_CHARACTERS = 8


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

    def checked_authorization(self, url: str) -> str:
        """Return the ``Authorization`` header of a request.

        Returns:
            The value of ``Authorization``.

        Raises:
            TokenOfOtherSite: That address is not below the site that the token was stored for.
        """
        site = normalise_site(self.site)
        is_inside = url == site or url.startswith(f"{site}/")
        if not is_inside or not {".", ".."}.isdisjoint(url.split("/")):
            raise TokenOfOtherSite(url, self.site)
        if self.email:
            pair = f"{self.email}:{self.token}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return f"Bearer {self.token}"

    def redact(self, text: str) -> str:
        """Remove the token from a server's text.

        Returns:
            The text itself where it does not hold the token; else one clean line with `REDACTED_TEXT` in its
            place, whether it was plain or as the header holds it. If it was broken up or escaped,
            nothing of the text is left.
        """
        secrets = _compared_form_by_secret(self)
        redacted = text
        for secret in secrets:
            redacted = redacted.replace(secret, REDACTED_TEXT)
        line = clean(redacted)
        spellings = (_decoded_visible_lowercase(redacted), _decoded_visible_lowercase(line))
        if any(letters in spelling for letters in secrets.values() for spelling in spellings):
            return REDACTED_TEXT
        return text if redacted == text else line


@lru_cache(maxsize=8)
def _compared_form_by_secret(login: Credentials) -> dict[str, str]:
    """Return what must not be shown, the longest first: the token, and its encodings in headers.

    Returns:
        The form in which texts are compared, by the form in which it is replaced.
    """
    encoded = [f"{login.email}:{login.token}"]
    secrets: set[str] = set()
    if len(login.token) >= _MIN_SECRET_CHARACTERS:
        secrets.add(login.token)
        encoded.append(login.token)
    for text in encoded:
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            secret = encode(text.encode("utf-8", "replace")).decode()
            secrets |= {secret, secret.rstrip("=")}
    longest_first = sorted(secrets, key=len, reverse=True)
    return {secret: _decoded_visible_lowercase(secret) for secret in longest_first}


def gateway_site(cloud_id: str, direct_site: str = "") -> str:
    """Return the gateway's address of a site, which takes tokens with scopes.

    Args:
        cloud_id: The site's ID, such as ``11223344-a1b2-3b33-c444-def123456789``.
        direct_site: The site's own address. One on this machine, such as a sandbox, is its own
            gateway: Atlassian's does not know it, and must not get a token for it.

    Returns:
        The address, as `Credentials.site`.

    Raises:
        BadSetting: That is not an ID.
    """
    cloud_id = checked_cloud_id("the cloud ID", cloud_id.strip())
    is_here = is_loopback(urlsplit(direct_site).hostname or "")
    return f"{direct_site if is_here else f'https://{API_GATEWAY_HOST}'}/ex/jira/{cloud_id}"


@lru_cache(maxsize=8)
def normalise_site(site: str) -> str:
    """Check the address of a site and return its normal form, without a trailing slash.

    Raises:
        BadSetting: It is not an address, holds more than an address, or is plain http to another
            machine.
    """
    site = checked_site(_SITE_SETTING_NAME, site.strip())
    parts = urlsplit(site)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        problem = "plain http would show your token on the way, so it is for this machine alone"
        raise BadSetting(_SITE_SETTING_NAME, site, f"{problem}; write https://")
    return site


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
