"""Routes for the comments of an issue, and for their properties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from jira_sandbox.api.entity_properties import check_property
from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.part_input import add_comment, read_comment
from jira_sandbox.api.payload import read_body, read_json, read_list, read_object, read_page
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.parts import Comment

_DEFAULT_PAGE: Final = 100
_MOST_LISTED: Final = 1000
_ORDERS: Final = ("created", "+created", "-created")
_MISSING: Final = "Can not find a comment for the id: {}."
_NOT_YOURS: Final = "You do not have the permission to {} this comment."


class CommentRoutes(RouteGroup):
    """The routes for comments in one version of the interface."""

    async def list_all(self, request: Request) -> JsonObject:
        """List the comments of an issue, page by page."""
        issue, query = require_issue(self._site, request), request.query_params
        order = query.get("orderBy") or "created"
        if order not in _ORDERS:
            raise RequestRefused(400, f"The comments cannot be sorted by '{order[:50]}'.")
        page = read_page(query, default=_DEFAULT_PAGE)
        listed = page.of(issue.comments[::-1] if order[0] == "-" else issue.comments)
        return {
            "startAt": page.start,
            "maxResults": page.size,
            "total": len(issue.comments),
            "comments": [self._describe(request, issue, comment) for comment in listed],
        }

    async def add(self, request: Request) -> Response:
        """Add a comment."""
        body = await read_object(request)
        issue = require_issue(self._site, request)
        values = read_comment(self._interface.context(issue), body)
        comment = add_comment(self._site, issue, values)
        return self._interface.answer(self._describe(request, issue, comment), 201)

    async def get(self, request: Request) -> JsonObject:
        """Read a comment."""
        issue, comment = self._find_in_path(request)
        return self._describe(request, issue, comment)

    async def edit(self, request: Request) -> JsonObject:
        """Change a comment."""
        body = await read_object(request)
        issue, comment = self._find_in_path(request, "edit")
        values = read_comment(self._interface.context(issue), body)
        changed = replace(
            comment, **values, editor=self._site.user, updated=self._update_time(comment)
        )
        self._put_comment(issue, changed)
        return self._describe(request, issue, changed)

    async def delete(self, request: Request) -> None:
        """Delete a comment."""
        issue, comment = self._find_in_path(request, "delete")
        others = tuple(other for other in issue.comments if other.id != comment.id)
        self._site.edit(issue.key, comments=others)

    async def list_by_ids(self, request: Request) -> JsonObject:
        """Read the comments with the given IDs, of any issues."""
        body = await read_body(request, {"ids": (int,)})
        wanted = body.get("ids", [])
        if len(wanted) > _MOST_LISTED:
            raise RequestRefused(400, f"At most {_MOST_LISTED} comments can be read at once.")
        found = [pair for pair in self._everything() if pair[1].id in set(wanted)]
        return {
            "startAt": 0,
            "maxResults": _MOST_LISTED,
            "total": len(found),
            "isLast": True,
            "values": [self._describe(request, *pair) for pair in found],
        }

    async def list_properties(self, request: Request) -> JsonObject:
        """List the keys of a comment's properties."""
        _, comment = self._any(request)
        here = f"{self._records(request).api}/comment/{comment.id}/properties"
        keys = [{"self": f"{here}/{key}", "key": key} for key in sorted(comment.properties)]
        return {"keys": keys}

    async def get_property(self, request: Request) -> JsonObject:
        """Read a property of a comment."""
        _, comment = self._any(request)
        key = _known_property(request, comment)
        return {"key": key, "value": comment.properties[key]}

    async def put_property(self, request: Request) -> Response:
        """Write a property of a comment."""
        value = await read_json(request)
        issue, comment = self._any(request)
        key = request.path_params["key"]
        check_property(key, value)
        self._put_comment(issue, replace(comment, properties={**comment.properties, key: value}))
        return self._interface.answer({}, 200 if key in comment.properties else 201)

    async def remove_property(self, request: Request) -> None:
        """Remove a property of a comment."""
        issue, comment = self._any(request)
        gone = _known_property(request, comment)
        rest = {key: value for key, value in comment.properties.items() if key != gone}
        self._put_comment(issue, replace(comment, properties=rest))

    def _describe(self, request: Request, issue: Issue, comment: Comment) -> dict[str, Any]:
        expand = read_list(request.query_params, "expand")
        return self._interface.view(request).parts.comment(issue, comment, expand)

    def _update_time(self, comment: Comment) -> int:
        return max(self._site.millis(), comment.updated + 1)

    def _put_comment(self, issue: Issue, comment: Comment) -> None:
        comments = tuple(comment if other.id == comment.id else other for other in issue.comments)
        self._site.edit(issue.key, comments=comments)

    def _find_in_path(self, request: Request, action: str = "") -> tuple[Issue, Comment]:
        """Return the comment in the path; one of another user allows no action."""
        issue = require_issue(self._site, request)
        comment = _find(issue, request.path_params["comment_id"])
        if comment is None:
            raise RequestRefused(404, _MISSING.format(request.path_params["comment_id"][:50]))
        if action and comment.author.account_id != self._site.user.account_id:
            raise RequestRefused(400, _NOT_YOURS.format(action))
        return issue, comment

    def _any(self, request: Request) -> tuple[Issue, Comment]:
        """Return the comment in a path that does not name the issue."""
        wanted = request.path_params["comment_id"]
        for issue, comment in self._everything():
            if str(comment.id) == wanted:
                return issue, comment
        raise RequestRefused(404, _MISSING.format(wanted[:50]))

    def _everything(self) -> Iterator[tuple[Issue, Comment]]:
        for issue in self._site:
            for comment in issue.comments:
                yield issue, comment


def _find(issue: Issue, comment_id: str) -> Comment | None:
    return next((each for each in issue.comments if str(each.id) == comment_id), None)


def _known_property(request: Request, comment: Comment) -> str:
    key: str = request.path_params["key"]
    if key not in comment.properties:
        raise RequestRefused(404, f"The property {key} does not exist.")
    return key
