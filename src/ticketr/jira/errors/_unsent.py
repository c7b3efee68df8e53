"""An address or a token that cannot be used: nothing is sent."""

from __future__ import annotations

from ticketr.jira.errors._base import JiraError
from ticketr.jira.sanitize import bare_url


class BadSite(JiraError):
    """The address of the site cannot be used at all.

    Args:
        url: The address as it was given.
        problem: What is wrong with it.
    """

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, problem)
        self.problem = problem

    def __str__(self) -> str:
        return (
            f"{self.url or 'the empty text'} is not the address of a Jira site: {self.problem}; "
            "it looks like https://example.atlassian.net"
        )


class InsecureSite(JiraError):
    """Plain http would show the token to everybody on the way."""

    def __str__(self) -> str:
        return (
            f"{self.url} is plain http, which would show your token on the way: "
            "use https (plain http is for this machine alone)"
        )


class WrongSite(JiraError):
    """The token was stored for one site and asked for at another.

    Args:
        url: The address that was about to be asked.
        site: The site that the token belongs to.
    """

    def __init__(self, url: str, site: str) -> None:
        self.site = bare_url(site)
        super().__init__(url, self.site)

    def __str__(self) -> str:
        return (
            f"the token for {self.site} is not sent to {self.url}: "
            "store a token for that site, or correct the address"
        )


class BadToken(JiraError):
    """The token cannot be sent at all.

    Args:
        url: The address of the site that it was stored for.
        problem: What is wrong with it, without a word of it.
    """

    def __init__(self, url: str, problem: str) -> None:
        self.problem = problem
        super().__init__(url, problem)

    def __str__(self) -> str:
        return f"the token for {self.url} is unusable ({self.problem}): copy it once more"
