"""The base of the errors."""

from __future__ import annotations

from ticketr._errors import TicketrError
from ticketr.jira.sanitize import bare_url


class JiraError(TicketrError):
    """The base of every error that talking to Jira can raise.

    Args:
        url: The address that was asked.

    Attributes:
        url: The same, without anything that may be a secret.
    """

    def __init__(self, url: str, *facts: object) -> None:
        self.url = bare_url(url)
        super().__init__(self.url, *facts)

    @property
    def host(self) -> str:
        """The machine that was asked, with its port if one was given."""
        return self.url.partition("://")[2].partition("/")[0] or self.url

    def __str__(self) -> str:
        return f"talking to {self.url} failed"
