"""Routes that upload, describe and download attachments.

A download is redirected, as in Jira, to an address that needs no login but holds a token. The
address also holds the ID of the file as media nodes in documents give it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.responses import Response

from jira_sandbox.api.interface import RouteGroup
from jira_sandbox.api.issues import require_issue
from jira_sandbox.api.media import media_id
from jira_sandbox.api.multipart import read_files
from jira_sandbox.api.payload import read_bytes, read_flag
from jira_sandbox.data.parts import Attachment
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.records import JsonObject
    from jira_sandbox.data.issue import Issue

#: The most bytes of a file.
UPLOAD_LIMIT: Final = 10 * 1024 * 1024
#: What the parts of a body may need besides one file.
_MOST_AROUND: Final = 64 * 1024
_LONGEST_NAME: Final = 255
_NOT_FOUND: Final = "The attachment with id '{}' does not exist"
_XSRF: Final = "XSRF check failed"
_TOKEN_KEY: Final = secrets.token_bytes(16)
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class AttachmentRoutes(RouteGroup):
    """The routes for attachments in one version of the interface."""

    async def settings(self, _request: Request) -> JsonObject:
        """State the size limit."""
        return {"enabled": True, "uploadLimit": UPLOAD_LIMIT}

    async def add(self, request: Request) -> list[JsonObject]:
        """Attach the files in a form's fields called ``file``."""
        if request.headers.get("x-atlassian-token", "").lower() not in {"no-check", "nocheck"}:
            raise RequestRefused(403, _XSRF)
        body = await read_bytes(request, UPLOAD_LIMIT + _MOST_AROUND)
        site = self._site
        issue = require_issue(site, request)
        files = read_files(request.headers.get("content-type", ""), body)
        uploaded = [file for file in files or () if file.field == "file"]
        if not uploaded:
            raise RequestRefused(400, "The form has no field 'file' with a file.")
        if any(not file.name or len(file.name) > _LONGEST_NAME for file in uploaded):
            raise RequestRefused(400, "The name of a file is missing or too long.")
        if any(len(file.content) > UPLOAD_LIMIT for file in uploaded):
            raise RequestRefused(413, f"A file is bigger than the limit of {UPLOAD_LIMIT:,} bytes.")
        first, now = site.next_part(), site.millis()
        added = [
            (
                Attachment(
                    first + number, site.user, file.name, file.mime_type, len(file.content), now
                ),
                file.content,
            )
            for number, file in enumerate(uploaded)
        ]
        site.attach(issue.key, added)
        describe = self._interface.view(request).parts.attachment
        return [describe(attachment) for attachment, _ in added]

    async def get(self, request: Request) -> JsonObject:
        """Describe an attachment."""
        _, attachment = self._find_in_path(request)
        described = self._interface.view(request).parts.attachment(attachment)
        return {**described, "id": attachment.id}

    async def delete(self, request: Request) -> None:
        """Delete an attachment."""
        issue, attachment = self._find_in_path(request)
        self._site.detach(issue.key, attachment.id)

    async def download(self, request: Request) -> Response:
        """Redirect to the content, or return it if the request declines a redirect."""
        _, attachment = self._find_in_path(request)
        if not read_flag(request.query_params, "redirect", default=True):
            return self._content(request, attachment)
        base = self._records(request).base
        token, name = _token(attachment), quote(attachment.name, safe="")
        address = f"{base}/file/{media_id(attachment.id)}/binary?token={token}&name={name}"
        return Response(status_code=303, headers={"location": address})

    async def media(self, request: Request) -> Response:
        """Return the content of an attachment to whoever has the token."""
        for issue in self._site:
            for attachment in issue.attachments:
                if media_id(attachment.id) != request.path_params["media_id"]:
                    continue
                token = request.query_params.get("token", "")
                if not hmac.compare_digest(token.encode(), _token(attachment).encode()):
                    raise RequestRefused(403, "The token is invalid.")
                return self._content(request, attachment)
        raise RequestRefused(404, "The file does not exist.")

    def _content(self, request: Request, attachment: Attachment) -> Response:
        """Return the content, or the range of it that the request asks for."""
        content = self._site.content(attachment.id)
        headers = {
            "content-type": attachment.mime_type,
            "content-disposition": f"attachment; filename*=utf-8''{quote(attachment.name)}",
            "accept-ranges": "bytes",
        }
        match = _RANGE.fullmatch(request.headers.get("range", ""))
        if match is None or not any(match.groups()):
            return Response(content, headers=headers)
        total = len(content)
        start = int(match[1]) if match[1] else max(total - int(match[2]), 0)
        end = min(int(match[2]) + 1 if match[1] and match[2] else total, total)
        if start >= end:
            return Response(status_code=416, headers={"content-range": f"bytes */{total}"})
        headers["content-range"] = f"bytes {start}-{end - 1}/{total}"
        return Response(content[start:end], 206, headers)

    def _find_in_path(self, request: Request) -> tuple[Issue, Attachment]:
        wanted = request.path_params["id"]
        for issue in self._site:
            for attachment in issue.attachments:
                if str(attachment.id) == wanted:
                    return issue, attachment
        raise RequestRefused(404, _NOT_FOUND.format(wanted[:50]))


def _token(attachment: Attachment) -> str:
    return hmac.new(_TOKEN_KEY, str(attachment.id).encode(), hashlib.sha256).hexdigest()[:32]
