"""Reads the kinds of links between issues, and adds and removes links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from ticketr.app.jira.errors import NotFound
from ticketr.app.jira.json_text import text_of
from ticketr.app.jira.rest_api import Endpoints


class LinkType(NamedTuple):
    """A kind of link between two issues.

    Attributes:
        id: Its ID.
        name: Its display name.
        outward: The words between the first issue and the second, such as ``blocks``.
        inward: The words between the second and the first, such as ``is blocked by``.
    """

    id: str
    name: str
    outward: str
    inward: str

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read the record; return None if it has no ID or lacks the words."""
        names = ("id", "name", "outward", "inward")
        link_type = cls(*(text_of(answer.get(name)).strip() for name in names))
        is_whole = link_type.id and link_type.outward and link_type.inward
        return link_type if is_whole else None


class LinkEndpoints(Endpoints):
    """The client's methods for links; each change can be done twice, and is repeated."""

    async def link_types(self) -> tuple[LinkType, ...]:
        """Return the kinds of links that the site has.

        Raises:
            NotFound: Links are switched off on the site.
        """
        answer = await self._api.get("issueLinkType")
        link_types = map(LinkType.read, answer.array("issueLinkTypes"))
        return tuple(link_type for link_type in link_types if link_type is not None)

    async def add_link(self, link_type: str, first: str, second: str) -> None:
        """Link two issues; Jira keeps a link that is there already as it is.

        Args:
            link_type: The ID of the kind of link.
            first: The key of the issue that, for example, blocks the other one.
            second: The key of the issue that is blocked.

        Raises:
            NotFound: There is no such kind of link or issue, or the account may not see it.
            Forbidden: The account may not link issues.
        """
        body = {
            "type": {"id": link_type},
            "inwardIssue": {"key": first},
            "outwardIssue": {"key": second},
        }
        await self._api.write("POST", "issueLink", issue=first, body=body, repeatable=True)

    async def remove_link(self, link: str, *, issue: str) -> None:
        """Remove a link; one that is gone already is not an error.

        Args:
            link: The link's ID.
            issue: The key of one of its issues.

        Raises:
            Forbidden: The account may not link issues.
        """
        try:
            await self._api.write("DELETE", "issueLink/{}", link, issue=issue, repeatable=True)
        except NotFound:
            return
