"""Reads, adds and edits the comments of issues."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ticketr.app.jira.json_text import text_of
from ticketr.app.jira.rest_api import Endpoints

#: How many comments one page holds at most.
_PAGE = 100
#: How many comments of one issue are read; Jira allows no more.
MOST_COMMENTS = 5000
_NO_PROPERTIES: Mapping[str, object] = MappingProxyType({})


class CommentEndpoints(Endpoints):
    """The client's methods for comments.

    After a cancellation, or an error that `may_have_happened`, a change may have happened. Only
    `edit_comment`, which can be done twice, is repeated then.
    """

    async def comments(self, key: str) -> tuple[Mapping[str, Any], ...]:
        """Return every comment of an issue as Jira writes it, the oldest first.

        Args:
            key: The issue's key or ID.

        Raises:
            NotFound: There is no such issue, or the account may not see it.
            BadAnswer: The pages would never end, or do not have all comments.
        """
        anies: dict[str, Mapping[str, Any]] = {}
        while True:
            query: dict[str, str | int] = {
                "startAt": len(anies),
                "maxResults": _PAGE,
                "orderBy": "created",
            }
            answer = await self._api.get("issue/{}/comment", key, query=query)
            before = len(anies)
            for entry in answer.array("comments"):
                anies.setdefault(text_of(entry.get("id")), entry)
            total = answer.object().get("total")
            if not isinstance(total, int) or len(anies) >= total:
                return tuple(anies.values())
            if len(anies) == before:  # to believe it would delete comments from files
                raise answer.unusable(f"{len(anies)} comments, though the issue has more")
            if len(anies) > MOST_COMMENTS:
                raise answer.unusable(f"{len(anies)} comments and no end")

    async def add_comment(
        self,
        key: str,
        body: Mapping[str, object],
        *,
        properties: Mapping[str, object] = _NO_PROPERTIES,
    ) -> str:
        """Add a comment to an issue and return its ID.

        The request is sent once, even if a rate limit refuses it, so that the caller can first
        look for the comment; the next request waits as the site asked.

        Args:
            key: The issue's key or ID.
            body: The text as ADF.
            properties: The comment's entity properties, which only programs see.

        Raises:
            BadRequest: The site does not accept the text.
            Forbidden: The account may not comment.
            NotFound: There is no such issue, or the account may not see it.
            RateLimited: The site's limit is used up, maybe for longer than `LONGEST_WAIT`.
            BadAnswer: The answer has no ID; the comment probably exists.
        """
        content: dict[str, object] = {"body": dict(body)}
        if properties:
            content["properties"] = [{"key": k, "value": v} for k, v in properties.items()]
        answer = await self._api.write(
            "POST", "issue/{}/comment", key, issue=key, body=content, empty=False
        )
        if text := text_of(answer.object().get("id")):
            return text
        raise answer.unusable("it tells no ID of the comment")

    async def edit_comment(
        self, key: str, comment: str, body: Mapping[str, object], *, visibility: object = None
    ) -> None:
        """Replace the text and the visibility of a comment.

        Args:
            key: The issue's key or ID.
            comment: The comment's ID.
            body: The text as ADF.
            visibility: Who may see it, as Jira has it. Without it, everybody who sees the issue may.

        Raises:
            BadRequest: The site does not accept the text, or the account may not edit it.
            NotFound: There is no such issue or comment.
        """
        content: dict[str, object] = {"body": dict(body)}
        if visibility:
            content["visibility"] = visibility
        await self._api.write(
            "PUT", "issue/{}/comment/{}", key, comment, issue=key, body=content, repeatable=True
        )
