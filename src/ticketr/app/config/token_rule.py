"""The token rule: a token goes only to the site that it was stored for. Pure.

Two questions, asked in this order.

*May this site have any login at all?* A site named by JIRA_URL, or by the user's own config for
this very folder, is the user's word. A site that only ``ticketr.toml`` names is not: that file
comes with a git repository, and its author could otherwise have every token sent to a
server of theirs. Such a site gets nothing, not even a token that was stored for it, until the
user has confirmed it for this folder: else a repository could also let its tickets be pushed in
the user's name without the user knowing.

*Which token is for this site?* One from a command, the keyring or the tokens file is under the
site that it is for. One from the environment is for the site in JIRA_URL. Without JIRA_URL it
says no site: it is taken for the workspace's, if the user has confirmed that one and has no other.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import Enum


class SiteTrust(Enum):
    """Why a site may have a login."""

    ENVIRONMENT = "JIRA_URL names it"
    CONFIRMED = "you confirmed it for this folder"
    NONE = "only a file in the workspace names it"


def trust_in(site: str, *, named: str | None, confirmed: str | None) -> SiteTrust:
    """Return why a login may go to a site, or that it may not.

    Args:
        site: The workspace's site.
        named: The site in JIRA_URL.
        confirmed: The site that the user's config has for this folder.
    """
    if site == named:
        return SiteTrust.ENVIRONMENT
    if site == confirmed:
        return SiteTrust.CONFIRMED
    return SiteTrust.NONE


def is_environment_for(
    site: str, *, named: str | None, confirmed: str | None, known: AbstractSet[str]
) -> bool:
    """Return whether the login in the environment is one for a site.

    Args:
        site: The workspace's site.
        named: The site in JIRA_URL.
        confirmed: The site that the user's config has for this folder.
        known: Every site that the user's config names.
    """
    if named is not None:
        return site == named
    return site == confirmed and known <= {site}
