"""Making a server's words, and addresses, fit to be shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ticketr.text import clean

LONGEST_TEXT = 300
"""How many characters of a server's words an error repeats."""

# A step of a path, or a part of a host's name, where people log in.
_LOGIN = re.compile(
    r"(?:^|[./_-])(?:log-?in|sign-?in|sso|saml2?|oauth2?|auth|authori[sz]e)(?:[./_-]|$)",
    re.IGNORECASE,
)


def clip(text: str, limit: int = LONGEST_TEXT) -> str:
    """Make a server's words fit for a one-line message.

    Args:
        text: Untrusted text, of any length.
        limit: The most characters to keep.

    Returns:
        One clean line; a longer one ends in an ellipsis.
    """
    line = clean(text[: limit * 8]).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def bare_url(url: str) -> str:
    """Take everything from an address that may be a secret.

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
    """Return whether an address looks like that of a page where people log in.

    Args:
        url: The address, or the part of one that follows the site.
    """
    return _LOGIN.search(url.rpartition("://")[2]) is not None
