"""Cleans text and addresses from a server, so that an error can show them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ticketr._lazy import compile_on_use
from ticketr.cleaning import clean

#: How many characters of a server's text an error shows.
LONGEST_TEXT = 300

# A segment of a path, or a part of a host's name, of a login page.
_LOGIN = compile_on_use(
    r"(?:^|[./_-])(?:log-?in|sign-?in|sso|saml2?|oauth2?|auth|authori[sz]e)(?:[./_-]|$)",
    re.IGNORECASE,
)


def clip(text: str, limit: int = LONGEST_TEXT) -> str:
    """Clean and shorten a server's text for a one-line message.

    Returns:
        One clean line; a longer one ends in an ellipsis.
    """
    line = clean(text[: limit * 8]).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def bare_url(url: str) -> str:
    """Remove everything from an address that may be a secret.

    Args:
        url: Any text that is meant as an address.

    Returns:
        The address without user, password, query and fragment.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if not parts.netloc:
        return clip(url.partition("?")[0].partition("#")[0].rpartition("@")[2])
    host = parts.netloc.rpartition("@")[2]
    return clip(f"{parts.scheme}://{host}{parts.path}")


def is_login_page(url: str) -> bool:
    """Return whether an address looks like that of a login page.

    Args:
        url: The address, or the part of one that follows the site.
    """
    return _LOGIN.search(url.rpartition("://")[2]) is not None
