"""Serialize what belongs to an issue: comments, worklogs, attachments and kinds of links."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jira_sandbox.api.durations import write_duration
from jira_sandbox.api.html import to_html
from jira_sandbox.api.records import timestamp
from jira_sandbox.api.wiki_markup import to_wiki

if TYPE_CHECKING:
    from jira_sandbox.api.records import JsonObject, Records
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import Adf, User
    from jira_sandbox.data.parts import Attachment, Comment, LinkType, Worklog

_IMAGES = ("image/png", "image/jpeg", "image/gif")


class PartRecords:
    """Serializes parts of issues.

    Args:
        records: Serializes users, and knows the address and the version of the interface.
        viewer: The user in whose time zone times are written.
    """

    def __init__(self, records: Records, viewer: User) -> None:
        self._records = records
        self._viewer = viewer

    def comment(self, issue: Issue, comment: Comment, expand: Collection[str] = ()) -> JsonObject:
        """Describe a comment, with the expansions ``renderedBody`` and ``properties``."""
        described = {
            "self": f"{self._records.api}/issue/{issue.id}/comment/{comment.id}",
            "id": str(comment.id),
            "author": self._records.user(comment.author),
            "body": self.text(comment.body),
            "updateAuthor": self._records.user(comment.editor or comment.author),
            "created": self._time(comment.created),
            "updated": self._time(comment.updated),
            "jsdPublic": True,
        }
        if comment.visibility is not None:
            described["visibility"] = comment.visibility
        if "renderedBody" in expand:
            described["renderedBody"] = to_html(comment.body)
        if "properties" in expand:
            described["properties"] = self._properties(comment)
        return described

    def worklog(self, issue: Issue, worklog: Worklog, expand: Collection[str] = ()) -> JsonObject:
        """Describe a worklog, with the expansion ``properties``."""
        described = {
            "self": f"{self._records.api}/issue/{issue.id}/worklog/{worklog.id}",
            "author": self._records.user(worklog.author),
            "updateAuthor": self._records.user(worklog.editor or worklog.author),
            "created": self._time(worklog.created),
            "updated": self._time(worklog.updated),
            "started": self._time(worklog.started),
            "timeSpent": write_duration(worklog.seconds),
            "timeSpentSeconds": worklog.seconds,
            "id": str(worklog.id),
            "issueId": str(issue.id),
        }
        if worklog.comment is not None:
            described["comment"] = self.text(worklog.comment)
        if worklog.visibility is not None:
            described["visibility"] = worklog.visibility
        if "properties" in expand:
            described["properties"] = self._properties(worklog)
        return described

    def attachment(self, attachment: Attachment) -> JsonObject:
        """Describe an attachment as inside an issue."""
        described = {
            "self": f"{self._records.api}/attachment/{attachment.id}",
            "id": str(attachment.id),
            "filename": attachment.name,
            "author": self._records.user(attachment.author),
            "created": self._time(attachment.created),
            "size": attachment.size,
            "mimeType": attachment.mime_type,
            "content": self.content_address(attachment),
        }
        if attachment.mime_type in _IMAGES:
            described["thumbnail"] = f"{self._records.api}/attachment/thumbnail/{attachment.id}"
        return described

    def content_address(self, attachment: Attachment) -> str:
        """Return the address from which the content is downloaded."""
        if self._records.rest_version == "2":
            name = quote(attachment.name, safe="")
            return f"{self._records.base}/secure/attachment/{attachment.id}/{name}"
        return f"{self._records.api}/attachment/content/{attachment.id}"

    def link_type(self, kind: LinkType) -> JsonObject:
        """Describe a kind of link."""
        return {
            "id": str(kind.id),
            "name": kind.name,
            "inward": kind.inward,
            "outward": kind.outward,
            "self": f"{self._records.api}/issueLinkType/{kind.id}",
        }

    def text(self, document: Adf) -> Any:
        """Return a document in the form of the interface's version."""
        return document if self._records.rest_version == "3" else to_wiki(document)

    def _time(self, millis: int) -> str:
        return timestamp(millis, self._viewer)

    @staticmethod
    def _properties(part: Comment | Worklog) -> list[JsonObject]:
        return [{"key": key, "value": value} for key, value in part.properties.items()]
