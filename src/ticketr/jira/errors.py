"""The errors of talking to Jira.

The tree::

    TicketrError
     └── JiraError             .url, without user, query or fragment
          ├── BadSite          the site's address cannot be used
          ├── InsecureSite     plain http to another machine
          ├── WrongSite        the token belongs to another site
          ├── BadToken         the token cannot be sent at all
          ├── ConnectFailed    no connection to that address
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
          ├── IssuesUnavailable  Jira could not return some of the requested issues
          └── BadAnswer        no JSON, or not of the expected shape

Each error is a dataclass. Its fields are its ``args``, so that it can be pickled; the message is
built from them when it is shown. Text from a server is cleaned and clipped before it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar

from ticketr._errors import TicketrError
from ticketr.jira.sanitize import LONGEST_TEXT, bare_url, clip, is_login_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Metadata = dict[str, Callable[[Any], object]]

#: Names and texts, such as fields and their errors.
Pairs = tuple[tuple[str, str], ...]

TOKEN_PAGE = "https://id.atlassian.com/manage-profile/security/api-tokens"  # noqa: S105 - a page, no secret

_IS_IT_JIRA = "is this the address of a Jira site?"
_IN_TROUBLE = "Jira or something before it is in trouble, try again later"
_WHICH_OF_BOTH = f"{_IS_IT_JIRA} If it is, {_IN_TROUBLE}"


def _clip_pairs(pairs: Pairs) -> Pairs:
    return tuple((clip(name, 80), clip(text)) for name, text in pairs)


# Metadata of a field: the function that cleans its value.
_ADDRESS: Metadata = {"clean": bare_url}
_TEXT: Metadata = {"clean": clip}
_WORD: Metadata = {"clean": lambda text: clip(text, 80)}
_TEXTS: Metadata = {"clean": lambda texts: tuple(clip(text) for text in texts[:5])}
_PAIRS: Metadata = {"clean": _clip_pairs}
_FEW_PAIRS: Metadata = {"clean": lambda pairs: _clip_pairs(pairs[:20])}


@dataclass(eq=False, repr=False)
class JiraError(TicketrError):
    """The base of every error that talking to Jira can raise.

    Attributes:
        url: The address that was asked, without anything that may be a secret.
    """

    url: str = field(metadata=_ADDRESS)

    def __post_init__(self) -> None:
        for each in fields(self):
            if "clean" in each.metadata:
                setattr(self, each.name, each.metadata["clean"](getattr(self, each.name)))
        super().__post_init__()

    @property
    def host(self) -> str:
        """The machine that was asked, with its port if one was given."""
        return self.url.partition("://")[2].partition("/")[0] or self.url

    def __str__(self) -> str:
        return f"talking to {self.url} failed"


@dataclass(eq=False, repr=False)
class BadSite(JiraError):
    """The address of the site cannot be used at all.

    Attributes:
        problem: What is wrong with it.
    """

    problem: str

    def __str__(self) -> str:
        return (
            f"{self.url or 'the empty text'} is not the address of a Jira site: {self.problem}; "
            "it looks like https://example.atlassian.net"
        )


class InsecureSite(JiraError):
    """Plain http would show the token to everybody on the network path; this machine is allowed."""

    def __str__(self) -> str:
        return (
            f"{self.url} is plain http, which would show your token on the way: "
            "use https (plain http is for this machine alone)"
        )


@dataclass(eq=False, repr=False)
class WrongSite(JiraError):
    """The token was stored for one site and asked for at another.

    Attributes:
        url: The address that was about to be asked.
        site: The site that the token belongs to.
    """

    site: str = field(metadata=_ADDRESS)

    def __str__(self) -> str:
        return (
            f"the token for {self.site} is not sent to {self.url}: "
            "store a token for that site, or correct the address"
        )


@dataclass(eq=False, repr=False)
class BadToken(JiraError):
    """The token cannot be sent at all.

    Attributes:
        url: The address of the site that it was stored for.
        problem: What is wrong with it, without a word of it.
    """

    problem: str

    def __str__(self) -> str:
        return f"the token for {self.url} is unusable ({self.problem}): copy it once more"


@dataclass(eq=False, repr=False)
class ConnectFailed(JiraError):
    """No connection could be made.

    Attributes:
        reason: Why not, in a few words.
    """

    reason: str = field(metadata=_TEXT)

    def __str__(self) -> str:
        return (
            f"cannot reach {self.host} for {self.url} ({self.reason}): "
            "check the address and your network"
        )


@dataclass(eq=False, repr=False)
class TlsFailed(JiraError):
    """The other side could not prove its identity.

    Attributes:
        reason: What TLS reported.
    """

    reason: str = field(metadata=_TEXT)

    def __str__(self) -> str:
        return (
            f"no secure connection to {self.url} ({self.reason}): check the address; if your "
            "company has its own certificates, name their file in SSL_CERT_FILE"
        )


@dataclass(eq=False, repr=False)
class ConnectionLost(JiraError):
    """The connection broke before the answer was whole.

    Attributes:
        reason: What happened, in a few words.
    """

    reason: str = field(metadata=_TEXT)

    def __str__(self) -> str:
        return f"{self.host} broke off while answering {self.url} ({self.reason}): try again"


@dataclass(eq=False, repr=False)
class NoAnswer(JiraError):
    """The other side took the request, and did not answer it or did not finish its answer.

    Attributes:
        seconds: How long the client waited.
        begun: Whether the answer had begun and came, but too slowly.
    """

    seconds: float
    begun: bool = False

    def __str__(self) -> str:
        if self.begun:
            return (
                f"{self.host} did not finish its answer to {self.url} within {self.seconds:g} s: "
                "check your network, or try again later"
            )
        return (
            f"{self.host} did not answer {self.url} for {self.seconds:g} s: "
            "check the address, or try again later"
        )


@dataclass(eq=False, repr=False)
class Redirected(JiraError):
    """The answer sends elsewhere, where a token must not follow.

    Attributes:
        location: Where it sends.
        known: Whether the site has answered as Jira does before.
    """

    location: str = field(metadata=_ADDRESS)
    known: bool = False

    @property
    def is_login(self) -> bool:
        """Whether it sends to a login page, as a gateway in trouble does, too."""
        return is_login_page(self.location)

    def __str__(self) -> str:
        sends = f"{self.url} sends elsewhere, to {self.location or 'nowhere'}"
        if not self.is_login:
            return f"{sends}: if that is your Jira site, use its address instead"
        return f"{sends}, which is a login page: {_IN_TROUBLE if self.known else _WHICH_OF_BOTH}"


@dataclass(eq=False, repr=False)
class BadAnswer(JiraError):
    """The answer is not what Jira answers.

    Attributes:
        problem: What is wrong with the answer.
        passing: Whether another try may well succeed: the answer was cut off, or came from a
            gateway before Jira.
        known: Whether the site has answered as Jira does before.
        too_large: Whether the answer is larger than the client takes; asking for less may help.
    """

    problem: str = field(metadata=_TEXT)
    passing: bool = False
    known: bool = False
    too_large: bool = False

    def __str__(self) -> str:
        what = f"{self.url} did not answer as Jira does ({self.problem})"
        if self.known:
            return f"{what}, although the site has before: {_IN_TROUBLE}"
        return f"{what}: {_WHICH_OF_BOTH if self.passing else _IS_IT_JIRA}"


@dataclass(eq=False, repr=False)
class IssuesUnavailable(JiraError):
    """Jira answered, but could not return some of the requested issues.

    Attributes:
        failed: The ID or key of each of them as it was requested, with Jira's own words.
    """

    failed: Pairs = field(metadata=_PAIRS)

    def __str__(self) -> str:
        name, words = self.failed[0]
        more = f" and {len(self.failed) - 1} more" if len(self.failed) > 1 else ""
        return f"{self.url} could not give {name}{more} ({words}): try again later"


@dataclass(eq=False, repr=False)
class ServerError(JiraError):
    """Jira itself failed.

    Attributes:
        status: The HTTP status, 500 to 599.
        detail: Jira's own words; empty if it had none.
        retry_after: The seconds that it asked to wait, if it did.
    """

    status: int
    detail: str = field(default="", metadata=_TEXT)
    retry_after: float | None = None

    def __str__(self) -> str:
        words = f": {self.detail}" if self.detail else ""
        return f"{self.url} failed on the server's side ({self.status}{words}): try again later"


@dataclass(eq=False, repr=False)
class Rejected(JiraError):
    """Jira refused the request.

    Attributes:
        status: The HTTP status, 400 to 499.
        messages: Jira's own words.
        field_errors: Jira's own words about single fields, as pairs.
        retry_after: The seconds that it asked to wait, if it did.
        is_jiras: Whether the answer has the form of Jira's own, and not of a gateway before it.
    """

    advice: ClassVar[str] = "this is ticketr's or the site's fault, please report it"

    status: int
    messages: tuple[str, ...] = field(default=(), metadata=_TEXTS)
    field_errors: Pairs = field(default=(), metadata=_FEW_PAIRS)
    retry_after: float | None = None
    is_jiras: bool = True

    @property
    def detail(self) -> str:
        """Jira's own words in one line; empty if it had none."""
        named = [f"{name}: {words}" for name, words in self.field_errors]
        return clip("; ".join(filter(None, (*self.messages, *named))), 2 * LONGEST_TEXT)

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


@dataclass(eq=False, repr=False)
class RateLimited(Rejected):
    """Too many requests, still after several waits.

    Attributes:
        reason: Jira's name for the limit that was met, such as ``"jira-burst-based"``, if known.
    """

    advice = "wait and try again"

    is_jiras: bool = field(default=True, init=False)
    reason: str = field(default="", metadata=_WORD)

    def __str__(self) -> str:
        if not self.retry_after:  # a server may ask for 0 seconds, again and again
            return super().__str__()
        return f"{super().__str__()} in {self.retry_after:.0f} s"


#: The statuses that have an error class of their own.
REJECTIONS: dict[int, type[Rejected]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
}
