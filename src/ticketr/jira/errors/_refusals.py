"""What Jira refuses: the statuses 400 to 499."""

from __future__ import annotations

from typing import ClassVar

from ticketr.jira.errors._base import JiraError
from ticketr.jira.sanitize import LONGEST_TEXT, clip

TOKEN_PAGE = "https://id.atlassian.com/manage-profile/security/api-tokens"  # noqa: S105 - a page, no secret


class Rejected(JiraError):
    """Jira refused the request.

    Args:
        url: The address that was asked.
        status: The HTTP status, 400 to 499.
        messages: Jira's own words.
        field_errors: Jira's own words about single fields, as pairs.
        retry_after: The seconds that it asked to wait, if it did.
        is_jiras: Whether the answer has the form of Jira's own, and not that of something that
            stands before it.
    """

    advice: ClassVar[str] = "this is ticketr's or the site's fault, please report it"

    def __init__(
        self,
        url: str,
        status: int,
        messages: tuple[str, ...] = (),
        field_errors: tuple[tuple[str, str], ...] = (),
        retry_after: float | None = None,
        is_jiras: bool = True,  # noqa: FBT001, FBT002 - an exception is copied by its arguments
    ) -> None:
        self.status = status
        self.messages = tuple(clip(message) for message in messages[:5])
        self.field_errors = tuple((clip(k, 80), clip(v)) for k, v in field_errors[:20])
        self.retry_after = retry_after
        self.is_jiras = is_jiras
        super().__init__(url, status, self.messages, self.field_errors, retry_after, is_jiras)

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
        self.args = (*self.args[:-1], self.reason)

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
