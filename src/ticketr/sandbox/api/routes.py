"""The table of all routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Mount, Route, Router

from ticketr.sandbox.api.attachments import AttachmentRoutes
from ticketr.sandbox.api.comments import CommentRoutes
from ticketr.sandbox.api.createmeta import CreateMetaRoutes
from ticketr.sandbox.api.issues import IssueRoutes
from ticketr.sandbox.api.links import LinkRoutes
from ticketr.sandbox.api.properties import PropertyRoutes
from ticketr.sandbox.api.search import SearchRoutes
from ticketr.sandbox.api.site_info import SiteInfoRoutes
from ticketr.sandbox.api.transitions import TransitionRoutes
from ticketr.sandbox.api.users import UserRoutes
from ticketr.sandbox.api.worklogs import WorklogRoutes
from ticketr.sandbox.api.writes import WriteRoutes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from ticketr.sandbox.api.interface import Interface, RouteGroup

#: The method, the path, and the method of the group that answers.
Row = tuple[str, str, Callable[[Any, "Request"], Awaitable["Response"]]]

#: The routes below ``/rest/api/2`` and ``/rest/api/3``, by group. Of two routes that match a
#: path, the one with the literal part is taken.
PLATFORM: Final[Mapping[type[RouteGroup], tuple[Row, ...]]] = {
    SiteInfoRoutes: (
        ("GET", "serverInfo", SiteInfoRoutes.server_info),
        ("GET", "myself", SiteInfoRoutes.myself),
        ("GET", "field", SiteInfoRoutes.fields),
        ("GET", "project", SiteInfoRoutes.projects),
        ("GET", "project/search", SiteInfoRoutes.search_projects),
        ("GET", "project/{id_or_key}", SiteInfoRoutes.project),
    ),
    SearchRoutes: (
        ("GET", "search/jql", SearchRoutes.get),
        ("POST", "search/jql", SearchRoutes.post),
        ("POST", "search/approximate-count", SearchRoutes.count),
        ("GET", "search", SearchRoutes.removed),
        ("POST", "search", SearchRoutes.removed),
    ),
    CreateMetaRoutes: (
        ("GET", "issue/createmeta/{project}/issuetypes", CreateMetaRoutes.types),
        ("GET", "issue/createmeta/{project}/issuetypes/{type_id}", CreateMetaRoutes.fields),
        ("GET", "issue/{id_or_key}/editmeta", CreateMetaRoutes.edit_fields),
        ("GET", "project/{project}/statuses", CreateMetaRoutes.statuses),
    ),
    IssueRoutes: (
        ("POST", "issue/bulkfetch", IssueRoutes.bulk_fetch),
        ("GET", "issue/{id_or_key}", IssueRoutes.get),
    ),
    WriteRoutes: (
        ("POST", "issue", WriteRoutes.create),
        ("POST", "issue/bulk", WriteRoutes.create_all),
        ("PUT", "issue/{id_or_key}", WriteRoutes.edit),
        ("DELETE", "issue/{id_or_key}", WriteRoutes.delete),
    ),
    TransitionRoutes: (
        ("GET", "issue/{id_or_key}/transitions", TransitionRoutes.list_all),
        ("POST", "issue/{id_or_key}/transitions", TransitionRoutes.take),
    ),
    PropertyRoutes: (
        ("GET", "issue/{id_or_key}/properties", PropertyRoutes.list_all),
        ("GET", "issue/{id_or_key}/properties/{key:path}", PropertyRoutes.get),
        ("PUT", "issue/{id_or_key}/properties/{key:path}", PropertyRoutes.put),
        ("DELETE", "issue/{id_or_key}/properties/{key:path}", PropertyRoutes.remove),
    ),
    CommentRoutes: (
        ("GET", "issue/{id_or_key}/comment", CommentRoutes.list_all),
        ("POST", "issue/{id_or_key}/comment", CommentRoutes.add),
        ("GET", "issue/{id_or_key}/comment/{comment_id}", CommentRoutes.get),
        ("PUT", "issue/{id_or_key}/comment/{comment_id}", CommentRoutes.edit),
        ("DELETE", "issue/{id_or_key}/comment/{comment_id}", CommentRoutes.delete),
        ("POST", "comment/list", CommentRoutes.list_by_ids),
        ("GET", "comment/{comment_id}/properties", CommentRoutes.list_properties),
        ("GET", "comment/{comment_id}/properties/{key:path}", CommentRoutes.get_property),
        ("PUT", "comment/{comment_id}/properties/{key:path}", CommentRoutes.put_property),
        ("DELETE", "comment/{comment_id}/properties/{key:path}", CommentRoutes.remove_property),
    ),
    LinkRoutes: (
        ("GET", "issueLinkType", LinkRoutes.list_types),
        ("GET", "issueLinkType/{id}", LinkRoutes.get_type),
        ("POST", "issueLink", LinkRoutes.add),
        ("GET", "issueLink/{id}", LinkRoutes.get),
        ("DELETE", "issueLink/{id}", LinkRoutes.delete),
    ),
    AttachmentRoutes: (
        ("GET", "attachment/meta", AttachmentRoutes.settings),
        ("POST", "issue/{id_or_key}/attachments", AttachmentRoutes.add),
        ("GET", "attachment/{id}", AttachmentRoutes.get),
        ("DELETE", "attachment/{id}", AttachmentRoutes.delete),
        ("GET", "attachment/content/{id}", AttachmentRoutes.download),
        ("GET", "attachment/thumbnail/{id}", AttachmentRoutes.download),
    ),
    WorklogRoutes: (
        ("GET", "issue/{id_or_key}/worklog", WorklogRoutes.list_all),
        ("POST", "issue/{id_or_key}/worklog", WorklogRoutes.add),
        ("GET", "issue/{id_or_key}/worklog/{worklog_id}", WorklogRoutes.get),
        ("PUT", "issue/{id_or_key}/worklog/{worklog_id}", WorklogRoutes.edit),
        ("DELETE", "issue/{id_or_key}/worklog/{worklog_id}", WorklogRoutes.delete),
        ("POST", "worklog/list", WorklogRoutes.list_by_ids),
    ),
    UserRoutes: (
        ("GET", "user/search", UserRoutes.search),
        ("GET", "user/assignable/search", UserRoutes.assignable),
    ),
}
#: The routes outside of the two versions; they answer as version 3 does.
OTHER: Final[Mapping[type[RouteGroup], tuple[Row, ...]]] = {
    SiteInfoRoutes: (("GET", "rest/auth/1/session", SiteInfoRoutes.session),),
    AttachmentRoutes: (
        ("GET", "secure/attachment/{id}/{name}", AttachmentRoutes.download),
        ("GET", "file/{media_id}/binary", AttachmentRoutes.media),
    ),
}


def make_routes(interfaces: Iterable[Interface]) -> list[BaseRoute]:
    """Return the routes of several versions of the interface, the newest first."""
    known = tuple(interfaces)
    mounted: list[BaseRoute] = [
        Mount(
            f"/rest/api/{interface.version}",
            Router(_bind(PLATFORM, interface), redirect_slashes=False),
        )
        for interface in known
    ]
    return [*mounted, *_bind(OTHER, known[0])]


def _bind(table: Mapping[type[RouteGroup], tuple[Row, ...]], interface: Interface) -> list[Route]:
    rows = [
        (path, method, MethodType(handler, group))
        for kind, listed in table.items()
        for group in [kind(interface)]
        for method, path, handler in listed
    ]
    rows.sort(key=lambda row: [part.startswith("{") for part in row[0].split("/")])
    return [Route(f"/{path}", handler, methods=[method]) for path, method, handler in rows]
