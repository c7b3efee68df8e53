"""The table of all routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.agile.boards import BoardRoutes
from jira_sandbox.api.agile.planning import PlanningRoutes
from jira_sandbox.api.agile.sprints import SprintRoutes
from jira_sandbox.api.attachments import AttachmentRoutes
from jira_sandbox.api.bulk.choices import BulkChoiceRoutes
from jira_sandbox.api.bulk.operations import BulkRoutes
from jira_sandbox.api.changelog import ChangelogRoutes
from jira_sandbox.api.comments import CommentRoutes
from jira_sandbox.api.components import ComponentRoutes
from jira_sandbox.api.constants import ConstantRoutes
from jira_sandbox.api.createmeta import CreateMetaRoutes
from jira_sandbox.api.issues import IssueRoutes
from jira_sandbox.api.links import LinkRoutes
from jira_sandbox.api.lookups import LookupRoutes
from jira_sandbox.api.participants import ParticipantRoutes
from jira_sandbox.api.properties import PropertyRoutes
from jira_sandbox.api.remote_links import RemoteLinkRoutes
from jira_sandbox.api.roles import RoleRoutes
from jira_sandbox.api.search import SearchRoutes
from jira_sandbox.api.site_info import SiteInfoRoutes
from jira_sandbox.api.transitions import TransitionRoutes
from jira_sandbox.api.users import UserRoutes
from jira_sandbox.api.versions import VersionRoutes
from jira_sandbox.api.worklogs import WorklogRoutes
from jira_sandbox.api.writes import WriteRoutes

if TYPE_CHECKING:
    from starlette.requests import Request

    from jira_sandbox.api.interface import RouteGroup

#: The method, the path, and the method of the group that answers.
Row = tuple[str, str, Callable[[Any, "Request"], Awaitable[Any]]]

#: Rows by the group that answers.
Table = Mapping[type["RouteGroup"], tuple[Row, ...]]

#: The routes below ``/rest/api/2`` and ``/rest/api/3``, by group. Of two routes that match a
#: path, the one with the literal part is taken.
PLATFORM: Final[Table] = {
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
    ChangelogRoutes: (
        ("GET", "issue/{id_or_key}/changelog", ChangelogRoutes.list_all),
        ("POST", "issue/{id_or_key}/changelog/list", ChangelogRoutes.list_by_ids),
        ("POST", "changelog/bulkfetch", ChangelogRoutes.bulk_fetch),
    ),
    ParticipantRoutes: (
        ("PUT", "issue/{id_or_key}/assignee", ParticipantRoutes.assign),
        ("GET", "issue/{id_or_key}/watchers", ParticipantRoutes.watchers),
        ("POST", "issue/{id_or_key}/watchers", ParticipantRoutes.watch),
        ("DELETE", "issue/{id_or_key}/watchers", ParticipantRoutes.unwatch),
        ("GET", "issue/{id_or_key}/votes", ParticipantRoutes.votes),
        ("POST", "issue/{id_or_key}/votes", ParticipantRoutes.vote),
        ("DELETE", "issue/{id_or_key}/votes", ParticipantRoutes.take_back),
    ),
    RemoteLinkRoutes: (
        ("GET", "issue/{id_or_key}/remotelink", RemoteLinkRoutes.list_all),
        ("POST", "issue/{id_or_key}/remotelink", RemoteLinkRoutes.add),
        ("DELETE", "issue/{id_or_key}/remotelink", RemoteLinkRoutes.delete_by_global_id),
        ("GET", "issue/{id_or_key}/remotelink/{link_id}", RemoteLinkRoutes.get),
        ("PUT", "issue/{id_or_key}/remotelink/{link_id}", RemoteLinkRoutes.edit),
        ("DELETE", "issue/{id_or_key}/remotelink/{link_id}", RemoteLinkRoutes.delete),
    ),
    ConstantRoutes: (
        ("GET", "issuetype", ConstantRoutes.issue_types),
        ("GET", "issuetype/project", ConstantRoutes.project_issue_types),
        ("GET", "issuetype/{id}", ConstantRoutes.issue_type),
        ("GET", "priority", ConstantRoutes.priorities),
        ("GET", "priority/search", ConstantRoutes.search_priorities),
        ("GET", "priority/{id}", ConstantRoutes.priority),
        ("GET", "resolution", ConstantRoutes.resolutions),
        ("GET", "resolution/search", ConstantRoutes.search_resolutions),
        ("GET", "resolution/{id}", ConstantRoutes.resolution),
        ("GET", "status", ConstantRoutes.statuses),
        ("GET", "status/{id_or_name}", ConstantRoutes.status),
        ("GET", "statuses", ConstantRoutes.statuses_by_id),
        ("GET", "statuses/search", ConstantRoutes.search_statuses),
        ("GET", "statuscategory", ConstantRoutes.categories),
        ("GET", "statuscategory/{id_or_key}", ConstantRoutes.category),
    ),
    ComponentRoutes: (
        ("GET", "project/{id_or_key}/components", ComponentRoutes.list_all),
        ("GET", "project/{id_or_key}/component", ComponentRoutes.list_page),
        ("POST", "component", ComponentRoutes.add),
        ("GET", "component/{id}", ComponentRoutes.get),
        ("PUT", "component/{id}", ComponentRoutes.edit),
        ("DELETE", "component/{id}", ComponentRoutes.delete),
        ("GET", "component/{id}/relatedIssueCounts", ComponentRoutes.count),
    ),
    VersionRoutes: (
        ("GET", "project/{id_or_key}/versions", VersionRoutes.list_all),
        ("GET", "project/{id_or_key}/version", VersionRoutes.list_page),
        ("POST", "version", VersionRoutes.add),
        ("GET", "version/{id}", VersionRoutes.get),
        ("PUT", "version/{id}", VersionRoutes.edit),
        ("DELETE", "version/{id}", VersionRoutes.delete),
        ("PUT", "version/{id}/mergeto/{other}", VersionRoutes.merge),
        ("POST", "version/{id}/removeAndSwap", VersionRoutes.remove_and_swap),
        ("GET", "version/{id}/relatedIssueCounts", VersionRoutes.counts),
        ("GET", "version/{id}/unresolvedIssueCount", VersionRoutes.unresolved),
    ),
    BulkRoutes: (
        ("POST", "bulk/issues/fields", BulkRoutes.edit),
        ("POST", "bulk/issues/transition", BulkRoutes.transition),
        ("POST", "bulk/issues/delete", BulkRoutes.delete),
        ("POST", "bulk/issues/move", BulkRoutes.move),
        ("POST", "bulk/issues/watch", BulkRoutes.watch),
        ("POST", "bulk/issues/unwatch", BulkRoutes.unwatch),
        ("GET", "bulk/queue/{task_id}", BulkRoutes.progress),
        ("POST", "task/{task_id}/cancel", BulkRoutes.cancel),
    ),
    BulkChoiceRoutes: (
        ("GET", "bulk/issues/fields", BulkChoiceRoutes.fields),
        ("GET", "bulk/issues/transition", BulkChoiceRoutes.transitions),
    ),
    UserRoutes: (
        ("GET", "user", UserRoutes.get),
        ("GET", "user/bulk", UserRoutes.get_many),
        ("GET", "user/search", UserRoutes.search),
        ("GET", "user/picker", UserRoutes.pick),
        ("GET", "user/assignable/search", UserRoutes.assignable),
        ("GET", "user/assignable/multiProjectSearch", UserRoutes.assignable_in_projects),
        ("GET", "users", UserRoutes.list_all),
        ("GET", "users/search", UserRoutes.list_all),
        ("GET", "groups/picker", UserRoutes.pick_groups),
        ("GET", "groupuserpicker", UserRoutes.pick_both),
        ("GET", "group/bulk", UserRoutes.groups),
        ("GET", "group/member", UserRoutes.members),
    ),
    RoleRoutes: (
        ("GET", "role", RoleRoutes.list_all),
        ("GET", "role/{role_id}", RoleRoutes.get),
        ("GET", "project/{id_or_key}/role", RoleRoutes.of_project),
        ("GET", "project/{id_or_key}/role/{role_id}", RoleRoutes.in_project),
        ("GET", "mypermissions", RoleRoutes.permissions),
    ),
    LookupRoutes: (
        ("GET", "issue/picker", LookupRoutes.pick_issues),
        ("GET", "issue/createmeta", LookupRoutes.old_create_metadata),
        ("GET", "label", LookupRoutes.labels),
        ("GET", "field/search", LookupRoutes.search_fields),
        ("GET", "customFieldOption/{id}", LookupRoutes.option),
        ("GET", "jql/autocompletedata", LookupRoutes.words_of_jql),
        ("GET", "configuration", LookupRoutes.configuration),
    ),
}
#: The routes below ``/rest/agile/1.0``.
AGILE: Final[Table] = {
    BoardRoutes: (
        ("GET", "board", BoardRoutes.list_all),
        ("GET", "board/{board_id}", BoardRoutes.get),
        ("GET", "board/{board_id}/configuration", BoardRoutes.configuration),
        ("GET", "board/{board_id}/project", BoardRoutes.projects),
        ("GET", "board/{board_id}/sprint", BoardRoutes.sprints),
        ("GET", "board/{board_id}/sprint/{sprint_id}/issue", BoardRoutes.sprint_issues),
        ("GET", "board/{board_id}/epic", BoardRoutes.epics),
        ("GET", "board/{board_id}/epic/{epic_id}/issue", BoardRoutes.epic_issues),
        ("GET", "board/{board_id}/issue", BoardRoutes.issues),
        ("GET", "board/{board_id}/backlog", BoardRoutes.backlog),
    ),
    SprintRoutes: (
        ("POST", "sprint", SprintRoutes.add),
        ("GET", "sprint/{sprint_id}", SprintRoutes.get),
        ("PUT", "sprint/{sprint_id}", SprintRoutes.replace),
        ("POST", "sprint/{sprint_id}", SprintRoutes.edit),
        ("DELETE", "sprint/{sprint_id}", SprintRoutes.delete),
        ("GET", "sprint/{sprint_id}/issue", SprintRoutes.issues),
        ("POST", "sprint/{sprint_id}/issue", SprintRoutes.move_issues),
        ("POST", "backlog/issue", SprintRoutes.move_to_backlog),
    ),
    PlanningRoutes: (
        ("PUT", "issue/rank", PlanningRoutes.rank),
        ("GET", "issue/{id_or_key}", PlanningRoutes.issue),
        ("GET", "issue/{id_or_key}/estimation", PlanningRoutes.estimation),
        ("PUT", "issue/{id_or_key}/estimation", PlanningRoutes.estimate),
        ("GET", "epic/{id_or_key}", PlanningRoutes.epic),
        ("GET", "epic/{id_or_key}/issue", PlanningRoutes.epic_issues),
        ("POST", "epic/{id_or_key}/issue", PlanningRoutes.move_to_epic),
    ),
}
#: The routes outside of the two versions; they answer as version 3 does.
OTHER: Final[Table] = {
    SiteInfoRoutes: (("GET", "rest/auth/1/session", SiteInfoRoutes.session),),
    AttachmentRoutes: (
        ("GET", "secure/attachment/{id}/{name}", AttachmentRoutes.download),
        ("GET", "file/{media_id}/binary", AttachmentRoutes.media),
    ),
}
