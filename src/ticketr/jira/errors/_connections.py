"""A connection that was not made, or broke."""

# ruff: noqa: FBT001, FBT002 - facts are positional, so that an error can be pickled

from __future__ import annotations

from ticketr.jira.errors._base import JiraError
from ticketr.jira.sanitize import clip


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
    """The other side took the request and kept silent, or did not come to an end.

    Args:
        url: The address that was asked.
        seconds: How long it was waited for.
        begun: Whether the answer had begun and came, but too slowly.
    """

    def __init__(self, url: str, seconds: float, begun: bool = False) -> None:
        super().__init__(url, seconds, begun)
        self.seconds = seconds
        self.begun = begun

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
