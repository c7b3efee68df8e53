"""The errors of talking to Jira.

The tree::

    TicketrError
     └── JiraError             .url, without user, query or fragment
          ├── TokenOfOtherSite   the token belongs to another site
          ├── NotCloud           a Jira of another kind
          ├── NoJira             no Jira at that address
          ├── ConnectFailed      no connection to that address
          ├── TlsFailed          the certificate was not accepted
          ├── ConnectionLost     the connection broke before the answer was complete
          ├── NoAnswer           connected, then silence
          ├── Redirected         3xx; redirects are never followed
          ├── Rejected           4xx; .status and Jira's own words
          │    ├── BadRequest            400
          │    ├── AuthenticationFailed  401
          │    │    └── LoginBlocked     after too many wrong logins, until one by browser
          │    ├── Forbidden             403
          │    ├── NotFound              404
          │    └── RateLimited           429
          ├── ServerError        5xx
          ├── IssuesNotReturned  Jira could not return some of the requested issues
          └── BadAnswer          no JSON, or not of the expected shape

Each error is a dataclass. Its fields are its ``args``, so that it can be pickled; the message is
built from them when it is shown. Text from a server is cleaned and clipped before it is kept.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, fields
from typing import ClassVar
from urllib.parse import urlsplit

from ticketr._errors import TicketrError
from ticketr._lazy import compile_on_use
from ticketr.cleaning import clean

#: How many characters of a server's text an error shows.
MAX_SHOWN_CHARACTERS = 300

# A segment of a path, or a part of a host's name, of a login page.
_LOGIN_PAGE_ADDRESS_PATTERN = compile_on_use(
    r"(?:^|[./_-])(?:log-?in|sign-?in|sso|saml2?|oauth2?|auth|authori[sz]e)(?:[./_-]|$)",
    re.IGNORECASE,
)


def clean_line(text: str, limit: int = MAX_SHOWN_CHARACTERS) -> str:
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
        return clean_line(url.partition("?")[0].partition("#")[0].rpartition("@")[2])
    host = parts.netloc.rpartition("@")[2]
    return clean_line(f"{parts.scheme}://{host}{parts.path}")


#: Names and texts, such as fields and their errors.
NameTextPairs = tuple[tuple[str, str], ...]

TOKEN_PAGE_URL = "https://id.atlassian.com/manage-profile/security/api-tokens"  # noqa: S105 - a page, no secret

#: Why Jira refuses a login.
WRONG_LOGIN_REASON = "the API token has expired, or it or the e-mail is wrong"
#: Why no secure connection was made to a server of another kind.
SERVER_WITHOUT_TLS_REASON = "what answers there does not speak TLS"

_EXAMPLE_CLOUD_ADDRESS = "https://you.atlassian.net"

_CHECK_ADDRESS_ADVICE = "is this the address of a Jira site?"
_TRY_LATER_ADVICE = "Jira or something before it is in trouble, try again later"
_NETWORK_LOGIN_ADVICE = (
    "log in there in a browser if a network or proxy asks for it; else Jira is in trouble, "
    "try again later"
)
_ADDRESS_OR_TROUBLE_ADVICE = f"{_CHECK_ADDRESS_ADVICE} If it is, {_TRY_LATER_ADVICE}"


def _shorten_pair_texts(pairs: NameTextPairs) -> NameTextPairs:
    return tuple((clean_line(name, 80), clean_line(text)) for name, text in pairs)


# Metadata of a field: the function that cleans its value.
_FIELD_CLEANED_TO_URL = {"clean": bare_url}
_FIELD_CLEANED_TO_LINE = {"clean": clean_line}
_FIELD_CLEANED_TO_LINE_OF_80 = {"clean": lambda text: clean_line(text, 80)}
_FIELD_CLEANED_TO_5_LINES = {"clean": lambda texts: tuple(map(clean_line, texts[:5]))}
_FIELD_CLEANED_TO_PAIRS = {"clean": _shorten_pair_texts}
_FIELD_CLEANED_TO_20_PAIRS = {"clean": lambda pairs: _shorten_pair_texts(pairs[:20])}


@dataclass(eq=False, repr=False)
class JiraError(TicketrError):
    """The base of every error that talking to Jira can raise.

    Attributes:
        url: The requested URL, without anything that may be a secret.
    """

    url: str = field(metadata=_FIELD_CLEANED_TO_URL)

    def __post_init__(self) -> None:
        for attribute in fields(self):
            if clean := attribute.metadata.get("clean"):
                setattr(self, attribute.name, clean(getattr(self, attribute.name)))
        super().__post_init__()

    @property
    def host(self) -> str:
        """The requested host, with its port if one was given."""
        return self.url.partition("://")[2].partition("/")[0] or self.url

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        return f"talking to {self.host} failed"

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        return "try again"

    def __str__(self) -> str:
        return f"{self.what_went_wrong}: {self.advice} ({self.url})"


@dataclass(eq=False, repr=False)
class TokenOfOtherSite(JiraError):
    """The token was stored for one site and asked for at another.

    Attributes:
        url: The URL that was about to be requested.
        token_site: The site that the token belongs to.
    """

    token_site: str = field(metadata=_FIELD_CLEANED_TO_URL)

    def __str__(self) -> str:
        return (
            f"the token for {self.token_site} is not sent to {self.url}: "
            "store a token for that site, or correct the address"
        )


@dataclass(eq=False, repr=False)
class NotCloud(JiraError):
    """The site is a Jira, but not Jira Cloud.

    Attributes:
        url: The address of the site.
        version: Its version; empty if it did not tell.
    """

    version: str = field(metadata=_FIELD_CLEANED_TO_LINE_OF_80)

    def __str__(self) -> str:
        version = f" (version {self.version})" if self.version else ""
        return f"{self.url} is Jira Data Center{version}; ticketr works with Jira Cloud only"


class NoJira(JiraError):
    """No Jira answers at the address of the site, as where a context path is missing."""

    def __str__(self) -> str:
        return (
            f"no Jira answers at {self.url}: the address of a Jira Cloud site is like "
            f"{_EXAMPLE_CLOUD_ADDRESS} (with a path, such as /jira, it is Jira Data Center, which ticketr "
            "does not work with)"
        )


@dataclass(eq=False, repr=False)
class ConnectFailed(JiraError):
    """No connection could be made.

    Attributes:
        reason: Why not, in a few words.
        proxy: The address of the proxy that was asked to connect; empty without one.
    """

    reason: str = field(metadata=_FIELD_CLEANED_TO_LINE)
    proxy: str = field(default="", metadata=_FIELD_CLEANED_TO_URL)

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        through = f" through the proxy {self.proxy}" if self.proxy else ""
        return f"cannot reach {self.host}{through} ({self.reason})"

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        if not self.proxy:
            return "check the address and your network"
        if self.reason.startswith("407"):
            return _ADVICE_BY_STATUS[407]
        return "check HTTPS_PROXY, or ask who runs the proxy; NO_PROXY names hosts without one"


@dataclass(eq=False, repr=False)
class TlsFailed(JiraError):
    """The other side could not prove its identity.

    Attributes:
        reason: What TLS reported.
    """

    reason: str = field(metadata=_FIELD_CLEANED_TO_LINE)

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        return f"no secure connection to {self.host} ({self.reason})"

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        if self.reason == SERVER_WITHOUT_TLS_REASON:
            return "check the address and its port"
        return (
            "check the address; if your company has its own certificates, name their file in "
            "SSL_CERT_FILE"
        )


@dataclass(eq=False, repr=False)
class ConnectionLost(JiraError):
    """The connection broke before the answer was complete.

    Attributes:
        reason: What happened, in a few words.
    """

    reason: str = field(metadata=_FIELD_CLEANED_TO_LINE)

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        return f"{self.host} broke off while answering ({self.reason})"


@dataclass(eq=False, repr=False)
class NoAnswer(JiraError):
    """The other side took the request, and did not answer it or did not finish its answer.

    Attributes:
        seconds: How long the client waited.
        has_answer_begun: Whether the answer had begun and came, but too slowly.
    """

    seconds: float
    has_answer_begun: bool = False

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        if self.has_answer_begun:
            return f"{self.host} did not finish its answer within {self.seconds:g} s"
        return f"{self.host} did not answer for {self.seconds:g} s"

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        return f"check {'your network' if self.has_answer_begun else 'the address'}, or try again later"


@dataclass(eq=False, repr=False)
class Redirected(JiraError):
    """The answer sends elsewhere, where a token must not follow.

    Attributes:
        location: Where it sends.
        has_answered_as_jira_before: Whether the site has answered as Jira does before.
    """

    location: str = field(metadata=_FIELD_CLEANED_TO_URL)
    has_answered_as_jira_before: bool = False

    @property
    def is_login(self) -> bool:
        """Whether it sends to a login page, as a gateway in trouble does, too."""
        return _LOGIN_PAGE_ADDRESS_PATTERN.search(self.location.rpartition("://")[2]) is not None

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        sends = f"{self.host} sends elsewhere, to {self.location or 'nowhere'}"
        return f"{sends}, which is a login page" if self.is_login else sends

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        if not self.is_login:
            return "if that is your Jira site, use its address instead"
        return (
            _NETWORK_LOGIN_ADVICE
            if self.has_answered_as_jira_before
            else f"{_CHECK_ADDRESS_ADVICE} If it is, {_NETWORK_LOGIN_ADVICE}"
        )


@dataclass(eq=False, repr=False)
class BadAnswer(JiraError):
    """The answer is not what Jira answers.

    Attributes:
        problem: What is wrong with the answer.
        transient: Whether another try may well succeed: the answer was cut off, or came from a
            gateway before Jira.
        has_answered_as_jira_before: Whether the site has answered as Jira does before.
        too_large: Whether the answer is larger than the client takes; asking for less may help.
    """

    problem: str = field(metadata=_FIELD_CLEANED_TO_LINE)
    transient: bool = False
    has_answered_as_jira_before: bool = False
    too_large: bool = False

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        what = f"{self.host} did not answer as Jira does ({self.problem})"
        return f"{what}, although the site has before" if self.has_answered_as_jira_before else what

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        if self.has_answered_as_jira_before:
            return _TRY_LATER_ADVICE
        return _ADDRESS_OR_TROUBLE_ADVICE if self.transient else _CHECK_ADDRESS_ADVICE


@dataclass(eq=False, repr=False)
class IssuesNotReturned(JiraError):
    """Jira answered, but could not return some of the requested issues.

    Attributes:
        failed: The ID or key of each of them as it was requested, with Jira's own words.
    """

    failed: NameTextPairs = field(metadata=_FIELD_CLEANED_TO_PAIRS)

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        name, words = self.failed[0]
        more = f" and {len(self.failed) - 1} more" if len(self.failed) > 1 else ""
        return f"{self.host} could not give {name}{more} ({words})"

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        return "try again later"


@dataclass(eq=False, repr=False)
class ServerError(JiraError):
    """Jira itself failed.

    Attributes:
        status: The HTTP status, 500 to 599.
        detail: Jira's own words; empty if it had none.
        retry_after: The seconds that it asked to wait, if it did.
    """

    status: int
    detail: str = field(default="", metadata=_FIELD_CLEANED_TO_LINE)
    retry_after: float | None = None

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        words = f": {self.detail}" if self.detail else ""
        return f"{self.host} failed on its side ({self.status}{words})"

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        return f"try again{_retry_time_suffix(self.retry_after) or ' later'}"


@dataclass(eq=False, repr=False)
class Rejected(JiraError):
    """Jira refused the request.

    Attributes:
        status: The HTTP status, 400 to 499.
        messages: Jira's own words.
        field_errors: Jira's own words about single fields, as pairs.
        retry_after: The seconds that it asked to wait, if it did.
        is_from_jira: Whether the answer has the form of Jira's own, and not of a gateway before it.
    """

    what_host_did: ClassVar[str] = "refused the request"
    shows_detail: ClassVar[bool] = True

    status: int
    messages: tuple[str, ...] = field(default=(), metadata=_FIELD_CLEANED_TO_5_LINES)
    field_errors: NameTextPairs = field(default=(), metadata=_FIELD_CLEANED_TO_20_PAIRS)
    retry_after: float | None = None
    is_from_jira: bool = True

    @property
    def detail(self) -> str:
        """Jira's own words in one line; empty if it had none."""
        texts = (*self.messages, *(f"{name}: {words}" for name, words in self.field_errors))
        return clean_line("; ".join(filter(None, texts)), 2 * MAX_SHOWN_CHARACTERS)

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        return _ADVICE_BY_STATUS.get(
            self.status, _REPORT_FAULT_ADVICE if self.is_from_jira else _REFUSED_BEFORE_JIRA_ADVICE
        )

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        return f"{self.host} {self.what_host_did} {self._status_and_shown_detail}"

    @property
    def _status_and_shown_detail(self) -> str:
        """The status, and Jira's own words where they say more, in parentheses."""
        words = f": {self.detail}" if self.detail and self.shows_detail else ""
        return f"({self.status}{words})"


class BadRequest(Rejected):
    """Jira did not understand the request, bad JQL for instance."""


class AuthenticationFailed(Rejected):
    """Jira does not know this e-mail with this token."""

    what_host_did = "refused the login"
    shows_detail = False  # Jira's own words say no more, and would hide the advice


class LoginBlocked(AuthenticationFailed):
    """Jira takes no login of this account until its user has solved a captcha in a browser."""

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        return (
            "there were too many wrong logins; log in to Jira in a browser and answer the captcha, "
            "then try again"
        )


class Forbidden(Rejected):
    """The account may not do this."""


class NotFound(Rejected):
    """Nothing there, or the account may not see it."""

    @property
    def what_went_wrong(self) -> str:
        """What went wrong."""
        match = _SINGLE_RECORD_PATH.search(self.url)
        what = match[1] if match else "it"
        return f"{self.host} does not have {what} {self._status_and_shown_detail}"

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        if _SINGLE_RECORD_PATH.search(self.url):
            return _ADVICE_BY_STATUS[404]
        return _CHECK_ADDRESS_ADVICE


@dataclass(eq=False, repr=False)
class RateLimited(Rejected):
    """Too many requests, still after several waits.

    Attributes:
        reason: Jira's name for the limit that was met, such as ``"jira-burst-based"``, if known.
    """

    what_host_did = "gets too many requests"

    is_from_jira: bool = field(default=True, init=False)
    reason: str = field(default="", metadata=_FIELD_CLEANED_TO_LINE_OF_80)

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        return f"wait and try again{_retry_time_suffix(self.retry_after)}"


#: The statuses that have an error class of their own.
REJECTION_BY_STATUS: dict[int, type[Rejected]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
}

_CORRECT_REQUEST_ADVICE = "correct what Jira names here"
_REFUSED_BEFORE_JIRA_ADVICE = (
    f"{_CHECK_ADDRESS_ADVICE} If it is, something before it refuses; ask who runs the site"
)
_REPORT_FAULT_ADVICE = "this is ticketr's or the site's fault, please report it"
_CONFLICT_ADVICE = "another person or program changes it at the moment, or has locked it; try again"
#: What to do about a status.
_ADVICE_BY_STATUS = {
    400: _CORRECT_REQUEST_ADVICE,
    401: (
        f"{WRONG_LOGIN_REASON}; 'ticketr workspace add' takes a new "
        f"token (--scoped: one with scopes) from {TOKEN_PAGE_URL}"
    ),
    402: "the site's plan has ended or it is suspended; ask who runs the site",
    403: "ask the site's administrator for the permission, or use another account",
    404: "check the key; Jira also answers so when your account may not see it",
    407: "the proxy asks for a name and password: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT",
    408: "it took too long to arrive; check your network, or try again later",
    409: _CONFLICT_ADVICE,
    410: "Jira has removed what this asks for; a newer ticketr may know what replaces it",
    413: (
        "the file or text is larger than the site takes; make it smaller, or ask the site's "
        "administrator to raise the limit"
    ),
    422: _CORRECT_REQUEST_ADVICE,
    423: _CONFLICT_ADVICE,
}
#: The addresses of things that have a key or an ID.
_SINGLE_RECORD_PATH = re.compile(r"/rest/api/\d/(?:issue|project|comment|attachment)/([^/?]+)")
#: The longest wait that is reported; a server that asks for a longer one is not believed.
_MAX_REPORTED_WAIT_SECONDS = 24 * 60 * 60


def _retry_time_suffix(seconds: float | None) -> str:
    """Say when to try again, in words that follow "try again"; empty if that is unknown."""
    if (
        not seconds or seconds > _MAX_REPORTED_WAIT_SECONDS
    ):  # a server may ask for 0 seconds, again and again
        return ""
    if seconds < 120:
        return f" in {math.ceil(seconds)} s"
    if seconds < 2 * 60 * 60:
        return f" in {math.ceil(seconds / 60)} minutes"
    return f" in {math.ceil(seconds / 3600)} hours"
