"""What can go wrong between ticketr and Jira.

The tree::

    TicketrError
     └── JiraError             .url, without user, query or fragment
          ├── BadSite          the site's address cannot be used
          ├── InsecureSite     plain http to another machine
          ├── WrongSite        the token belongs to another site
          ├── BadToken         the token cannot be sent at all
          ├── ConnectFailed    nobody answered at that address
          ├── TlsFailed        the certificate was not accepted
          ├── ConnectionLost   the connection broke before the answer was whole
          ├── NoAnswer         connected, then silence
          ├── Redirected       3xx; redirects are never followed
          ├── Rejected         4xx; .status and Jira's own words
          │    ├── BadRequest            400
          │    ├── AuthenticationFailed  401
          │    ├── Forbidden             403
          │    ├── NotFound              404
          │    └── RateLimited           429
          ├── ServerError      5xx
          └── BadAnswer        no JSON, or not of the expected shape

An error's ``args`` are its facts, so that it can be pickled; its message is built from them when
it is shown. Words that came from a server are cleaned and clipped before they become a fact.
"""
# ruff: noqa: FBT001, FBT002  (facts are positional, so that an error can be pickled)

from __future__ import annotations

from typing import ClassVar, Self

from ticketr._errors import TicketrError
from ticketr.jira.words import LONGEST_TEXT, bare_url, clip, is_login_page

TOKEN_PAGE = "https://id.atlassian.com/manage-profile/security/api-tokens"  # noqa: S105  (a page, no secret)

_IS_IT_JIRA = "is this the address of a Jira site?"
_IN_TROUBLE = "Jira or something before it is in trouble, try again later"
_WHICH_OF_BOTH = f"{_IS_IT_JIRA} If it is, {_IN_TROUBLE}"


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


class ConnectFailed(JiraError):
    """No connection could be made.

    Args:
        url: The address that was asked.
        reason: Why not, in a few words.
    """

    def __init__(self, url: str, reason: str) -> None:
        self.reason = clip(reason)
        super().__init__(url, self.reason)

    def __str__(self) -> str:
        return (
            f"cannot reach {self.host} for {self.url} ({self.reason}): "
            "check the address and your network"
        )


class TlsFailed(JiraError):
    """The other side could not prove who it is.

    Args:
        url: The address that was asked.
        reason: What TLS said.
    """

    def __init__(self, url: str, reason: str) -> None:
        self.reason = clip(reason)
        super().__init__(url, self.reason)

    def __str__(self) -> str:
        return (
            f"no secure connection to {self.url} ({self.reason}): check the address; if your "
            "company has its own certificates, name their file in SSL_CERT_FILE"
        )


class ConnectionLost(JiraError):
    """The connection broke before the answer was whole.

    Args:
        url: The address that was asked.
        reason: What happened, in a few words.
    """

    def __init__(self, url: str, reason: str) -> None:
        self.reason = clip(reason)
        super().__init__(url, self.reason)

    def __str__(self) -> str:
        return f"{self.host} broke off while answering {self.url} ({self.reason}): try again"


class NoAnswer(JiraError):
    """The other side took the request and kept silent.

    Args:
        url: The address that was asked.
        seconds: How long it was silent.
    """

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(url, seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return (
            f"{self.host} did not answer {self.url} for {self.seconds:g} s: "
            "check the address, or try again later"
        )


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
    """

    def __init__(self, url: str, problem: str, passing: bool = False, known: bool = False) -> None:
        self.problem = clip(problem)
        self.passing = passing
        self.known = known
        super().__init__(url, self.problem, passing, known)

    def of_known_site(self) -> Self:
        """Give the same error of a site that has answered as Jira does before."""
        return type(self)(self.url, self.problem, self.passing, known=True)

    def __str__(self) -> str:
        what = f"{self.url} did not answer as Jira does ({self.problem})"
        if self.known:
            return f"{what}, although the site has before: {_IN_TROUBLE}"
        return f"{what}: {_WHICH_OF_BOTH if self.passing else _IS_IT_JIRA}"


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


class Rejected(JiraError):
    """Jira refused the request.

    Args:
        url: The address that was asked.
        status: The HTTP status, 400 to 499.
        messages: Jira's own words.
        field_errors: Jira's own words about single fields, as pairs.
        retry_after: The seconds that it asked to wait, if it did.
    """

    advice: ClassVar[str] = "this is ticketr's or the site's fault, please report it"

    def __init__(
        self,
        url: str,
        status: int,
        messages: tuple[str, ...] = (),
        field_errors: tuple[tuple[str, str], ...] = (),
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.messages = tuple(clip(message) for message in messages[:5])
        self.field_errors = tuple((clip(k, 80), clip(v)) for k, v in field_errors[:20])
        self.retry_after = retry_after
        super().__init__(url, status, self.messages, self.field_errors, retry_after)

    @property
    def detail(self) -> str:
        """Jira's own words in one line; empty if it had none."""
        fields = [f"{name}: {words}" for name, words in self.field_errors]
        return clip("; ".join(filter(None, (*self.messages, *fields))), 2 * LONGEST_TEXT)

    def __str__(self) -> str:
        words = f": {self.detail}" if self.detail else ""
        return f"{self.url} refused ({self.status}{words}): {self.advice}"


class BadRequest(Rejected):
    """Jira did not understand the request, bad JQL for instance."""

    advice = "correct what Jira names here"


class AuthenticationFailed(Rejected):
    """Jira does not know this e-mail with this token."""

    advice = (
        "check the e-mail and the API token (they expire; for one with scopes there is "
        f"'ticketr workspace add --scoped'); a new token: {TOKEN_PAGE}"
    )


class Forbidden(Rejected):
    """The account may not do this."""

    advice = "ask the site's administrator for the permission, or use another account"


class NotFound(Rejected):
    """Nothing there, or the account may not see it."""

    advice = "check the key; Jira also answers so when your account may not see it"


class RateLimited(Rejected):
    """Too many requests, still after several waits.

    Args:
        url: The address that was asked.
        status: The HTTP status.
        messages: Jira's own words.
        field_errors: Jira's own words about single fields, as pairs.
        retry_after: The seconds that it asked to wait, if it did.
        reason: Its word for the limit that was met, such as ``"jira-burst-based"``, if it told.
    """

    advice = "wait and try again"

    def __init__(
        self,
        url: str,
        status: int,
        messages: tuple[str, ...] = (),
        field_errors: tuple[tuple[str, str], ...] = (),
        retry_after: float | None = None,
        reason: str = "",
    ) -> None:
        self.reason = clip(reason, 80)
        super().__init__(url, status, messages, field_errors, retry_after)
        self.args = (*self.args, self.reason)

    def __str__(self) -> str:
        if self.retry_after is None:
            return super().__str__()
        return f"{super().__str__()} in {self.retry_after:.0f} s"


REJECTIONS: dict[int, type[Rejected]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
}
"""The statuses that have an error of their own."""


def is_unsure(error: BaseException) -> bool:
    """Tell whether a request may have been carried out although it failed.

    A refusal is sure, and so is a connection that was never made. After anything else a create
    must not be repeated before somebody has looked whether it happened.

    Args:
        error: What the request raised.

    Returns:
        Whether nobody knows. An error that does not come from a request is sure.
    """
    return isinstance(error, ConnectionLost | NoAnswer | ServerError | BadAnswer)
