"""An answer that is not what was asked for, nor a refusal."""
# ruff: noqa: FBT001, FBT002 - facts are positional, so that an error can be pickled

from __future__ import annotations

from typing import Self

from ticketr.jira.errors._base import JiraError
from ticketr.jira.sanitize import bare_url, clip, is_login_page

_IS_IT_JIRA = "is this the address of a Jira site?"
_IN_TROUBLE = "Jira or something before it is in trouble, try again later"
_WHICH_OF_BOTH = f"{_IS_IT_JIRA} If it is, {_IN_TROUBLE}"


class Redirected(JiraError):
    """The answer sends elsewhere, where a token must not follow.

    Args:
        url: The address that was asked.
        location: Where it sends.
        known: Whether the site has answered as Jira does before.
    """

    def __init__(self, url: str, location: str, known: bool = False) -> None:
        self.location = bare_url(location)
        self.known = known
        super().__init__(url, self.location, known)

    @property
    def is_login(self) -> bool:
        """Whether it sends to where people log in, as a gateway in trouble does, too."""
        return is_login_page(self.location)

    def of_known_site(self) -> Self:
        """Give the same error of a site that has answered as Jira does before."""
        return type(self)(self.url, self.location, known=True)

    def __str__(self) -> str:
        sends = f"{self.url} sends elsewhere, to {self.location or 'nowhere'}"
        if not self.is_login:
            return f"{sends}: if that is your Jira site, use its address instead"
        return f"{sends}, which is a login page: {_IN_TROUBLE if self.known else _WHICH_OF_BOTH}"


class BadAnswer(JiraError):
    """The answer is not what Jira answers.

    Args:
        url: The address that was asked.
        problem: What is wrong with the answer.
        passing: Whether another try may well be answered better: it was cut off, or came from
            something that stands before Jira.
        known: Whether the site has answered as Jira does before.
        too_large: Whether the answer is larger than we take; asking for less may help.
    """

    def __init__(
        self,
        url: str,
        problem: str,
        passing: bool = False,
        known: bool = False,
        too_large: bool = False,
    ) -> None:
        self.problem = clip(problem)
        self.passing = passing
        self.known = known
        self.too_large = too_large
        super().__init__(url, self.problem, passing, known, too_large)

    def of_known_site(self) -> Self:
        """Give the same error of a site that has answered as Jira does before."""
        return type(self)(self.url, self.problem, self.passing, True, self.too_large)  # noqa: FBT003

    def __str__(self) -> str:
        what = f"{self.url} did not answer as Jira does ({self.problem})"
        if self.known:
            return f"{what}, although the site has before: {_IN_TROUBLE}"
        return f"{what}: {_WHICH_OF_BOTH if self.passing else _IS_IT_JIRA}"


class IssuesUnavailable(JiraError):
    """The site answered, but could not give some of the issues that it was asked for.

    Args:
        url: The address that was asked.
        failed: The ID or key of each of them as it was asked for, with the site's own words.
    """

    def __init__(self, url: str, failed: tuple[tuple[str, str], ...]) -> None:
        self.failed = tuple((clip(name, 80), clip(words)) for name, words in failed)
        super().__init__(url, self.failed)

    def __str__(self) -> str:
        name, words = self.failed[0]
        more = f" and {len(self.failed) - 1} more" if len(self.failed) > 1 else ""
        return f"{self.url} could not give {name}{more} ({words}): try again later"


class ServerError(JiraError):
    """Jira itself failed.

    Args:
        url: The address that was asked.
        status: The HTTP status, 500 to 599.
        detail: Jira's own words, if it had any.
        retry_after: The seconds that it asked to wait, if it did.
    """

    def __init__(
        self, url: str, status: int, detail: str = "", retry_after: float | None = None
    ) -> None:
        self.status = status
        self.detail = clip(detail)
        self.retry_after = retry_after
        super().__init__(url, status, self.detail, retry_after)

    def __str__(self) -> str:
        words = f": {self.detail}" if self.detail else ""
        return f"{self.url} failed on the server's side ({self.status}{words}): try again later"
