"""One call of Jira's REST API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from ticketr.app.jira.transport.base import BodySource


@dataclass(frozen=True, slots=True)
class Call:
    """One call, which may be sent several times.

    Attributes:
        method: ``"GET"`` or another.
        endpoint: The path without its data.
        address: The URL without its query.
        query: The query parameters.
        body: The body, as JSON.
        source: The body, if it is sent in pieces.
        issue: The key or ID of the issue that it changes, if there is one.
        repeatable: Whether it may be sent again when the outcome of the last attempt is unknown, or
            a rate limit refused it: a gateway may refuse what Jira carries out.
        headers: Further headers, which replace the usual ones.
    """

    method: str
    endpoint: str
    address: str
    query: Mapping[str, str | int] | None = None
    body: bytes | None = None
    source: BodySource | None = None
    issue: str | None = None
    repeatable: bool = True
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.address}?{urlencode(self.query)}" if self.query else self.address

    @property
    def kind(self) -> str:
        """The method and endpoint, which a burst limit is counted for."""
        return f"{self.method} {self.endpoint}"
