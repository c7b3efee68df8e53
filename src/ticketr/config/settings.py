"""Settings from the environment, under the names that the original program reads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ticketr.config.errors import BadSetting, MissingSetting

if TYPE_CHECKING:
    from collections.abc import Mapping

URL_NAMES = ("JIRA_URL",)
EMAIL_NAMES = ("JIRA_EMAIL",)
TOKEN_NAMES = ("JIRA_API_TOKEN", "JIRA_API_KEY")
PROJECT_NAMES = ("JIRA_PROJECT_KEY", "JIRA_PROJECT")

_PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9_]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where Jira is, who asks, and for what.

    Attributes:
        url: the site's address, without a trailing slash. The site and the token come from the
            same place, the environment, so a file in a workspace can never redirect a token.
        email: the account's e-mail address.
        token: its API token; never shown.
        project: the project's key, or None where a query alone says what to pull.
    """

    url: str
    email: str
    token: str = field(repr=False)
    project: str | None


def load_settings(environ: Mapping[str, str], *, project: str | None = None) -> Settings:
    """Read the settings.

    Args:
        environ: the environment, usually ``os.environ``.
        project: a project key from the command line; it wins over the environment.

    Returns:
        The settings, checked as far as that goes without a connection.

    Raises:
        MissingSetting: a name that is needed is not set.
        BadSetting: the address or the project key cannot be one.
    """
    url_name, url = _required(
        environ, URL_NAMES, "the address of your Jira site, like https://you.atlassian.net"
    )
    _, email = _required(environ, EMAIL_NAMES, "the e-mail address of your Atlassian account")
    _, token = _required(
        environ, TOKEN_NAMES, "an API token of your Atlassian account (account settings, Security)"
    )
    name, key = ("--project", project) if project else _first(environ, PROJECT_NAMES)
    if key and not _PROJECT_KEY.fullmatch(key):
        raise BadSetting(name, key, "a project key is upper-case letters and digits, like DEMO")
    return Settings(url=_checked_url(url_name, url), email=email, token=token, project=key or None)


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    for name in names:
        if value := environ.get(name, "").strip():
            return name, value
    return names[0], ""


def _required(environ: Mapping[str, str], names: tuple[str, ...], hint: str) -> tuple[str, str]:
    name, value = _first(environ, names)
    if not value:
        raise MissingSetting(names, hint)
    return name, value


def _checked_url(name: str, url: str) -> str:
    """Check an address and write it in one way, so that one site is not taken for two."""
    if "@" in url:  # wherever: it may be a login in an address that is wrong in other ways too
        shown = f"...@{url.rpartition('@')[2]}"
        raise BadSetting(name, shown, "leave the login out of it; it belongs in JIRA_EMAIL")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is none
    except ValueError as error:
        raise BadSetting(name, url, str(error)) from None
    if parts.query or parts.fragment:  # not shown: people keep secrets there
        shown = f"{parts.scheme}://{parts.netloc}{parts.path}?..."
        raise BadSetting(name, shown, "leave out what follows the path")
    plain = url.isprintable() and " " not in url
    if parts.scheme not in {"https", "http"} or not parts.hostname or not plain:
        raise BadSetting(name, url, "write it as https://you.atlassian.net")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"
