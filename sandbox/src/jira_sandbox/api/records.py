"""Serialize records that issues refer to: users, projects, statuses and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.data import model
from jira_sandbox.data.kit import types_of

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.registry import Registry

JsonObject = dict[str, Any]
_UTC_USER: Final = model.User("", "", "")
_AVATAR_SIZES = {"48x48": "large", "24x24": "small", "16x16": "xsmall", "32x32": "medium"}


def timestamp(millis: int, user: model.User) -> str:
    """Format a time as Jira does, in the time zone of a user."""
    moment = model.from_millis(millis, user.zone)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}{moment:%z}"


def utc_time(millis: int) -> str:
    """Format a time in UTC, as the agile interface does."""
    return timestamp(millis, _UTC_USER).replace("+0000", "Z")


def _scope(project: int | None) -> JsonObject:
    """Return the scope of what belongs to a team-managed project."""
    if project is None:
        return {}
    return {"scope": {"type": "PROJECT", "project": {"id": str(project)}}}


class Records:
    """Serializes records, with links that begin with one base URL.

    Args:
        base: The site's own address, without a trailing slash.
        version: The version of the interface, ``"3"`` or ``"2"``.
    """

    def __init__(self, base: str, version: str) -> None:
        self.base = base
        self.rest_version = version
        self.api = f"{base}/rest/api/{version}"
        self.agile = f"{base}/rest/agile/1.0"

    def user(self, user: model.User, *, in_full: bool = False) -> JsonObject:
        """Describe a user; `in_full` as in ``GET /myself``."""
        described = {
            "self": f"{self.api}/user?accountId={user.account_id}",
            "accountId": user.account_id,
            "emailAddress": user.email,
            "avatarUrls": {
                size: f"{self.base}/avatars/{user.email.split('@')[0]}.png?size={size[:2]}"
                for size in _AVATAR_SIZES
            },
            "displayName": user.name,
            "active": True,
            "timeZone": user.time_zone,
            "accountType": "atlassian",
        }
        if in_full:
            described["locale"] = "en_GB"
            described["groups"] = {"size": 1, "items": []}
            described["applicationRoles"] = {"size": 1, "items": []}
            described["expand"] = "groups,applicationRoles"
        return described

    def project(self, project: model.Project) -> JsonObject:
        """Describe a project as in lists and issues."""
        return {
            "self": f"{self.api}/project/{project.id}",
            "id": str(project.id),
            "key": project.key,
            "name": project.name,
            "projectTypeKey": "software",
            "simplified": project.team_managed,
            "avatarUrls": {
                size: f"{self.base}/secure/projectavatar?size={name}&pid={project.id}"
                for size, name in _AVATAR_SIZES.items()
            },
        }

    def project_in_full(self, project: model.Project, registry: Registry) -> JsonObject:
        """Describe a project as in ``GET /project/{key}``."""
        return {
            "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
            **self.project(project),
            "description": project.description,
            "lead": self.user(project.lead),
            "components": [self.component(each, project) for each in registry.components(project)],
            "issueTypes": [self.issue_type(kind) for kind in types_of(project)],
            "assigneeType": "UNASSIGNED",
            "versions": [self.version(each, project) for each in registry.versions(project)],
            "roles": {"Administrators": f"{self.api}/project/{project.id}/role/10002"},
            "style": "next-gen" if project.team_managed else "classic",
            "isPrivate": False,
            "properties": {},
        }

    def issue_type(self, kind: model.IssueType) -> JsonObject:
        """Describe an issue type."""
        avatar = 10300 + kind.level
        return {
            "self": f"{self.api}/issuetype/{kind.id}",
            "id": str(kind.id),
            "description": kind.description,
            "iconUrl": f"{self.base}/images/icons/issuetypes/{avatar}.svg",
            "name": kind.name,
            "subtask": kind.subtask,
            "avatarId": avatar,
            "hierarchyLevel": kind.level,
            **_scope(kind.project),
        }

    def status(self, status: model.Status) -> JsonObject:
        """Describe a status with its category."""
        return {
            "self": f"{self.api}/status/{status.id}",
            "description": status.description,
            "iconUrl": f"{self.base}/images/icons/statuses/generic.png",
            "name": status.name,
            "id": str(status.id),
            "statusCategory": self.category(status.category),
            **_scope(status.project),
        }

    def category(self, category: model.StatusCategory) -> JsonObject:
        """Describe a category of statuses."""
        return {
            "self": f"{self.api}/statuscategory/{category.id}",
            "id": category.id,
            "key": category.key,
            "colorName": category.color,
            "name": category.name,
        }

    def priority(self, priority: model.Priority) -> JsonObject:
        """Describe a priority."""
        return {
            "self": f"{self.api}/priority/{priority.id}",
            "iconUrl": f"{self.base}/images/icons/priorities/{priority.name.lower()}.svg",
            "name": priority.name,
            "id": str(priority.id),
        }

    def component(
        self, component: model.Component, project: model.Project | None = None
    ) -> JsonObject:
        """Describe a component, in full if the project is given."""
        described: JsonObject = {
            "self": f"{self.api}/component/{component.id}",
            "id": str(component.id),
            "name": component.name,
        }
        if component.description:
            described["description"] = component.description
        if project is not None:
            described |= {
                "assigneeType": "PROJECT_DEFAULT",
                "realAssigneeType": "PROJECT_DEFAULT",
                "isAssigneeTypeValid": False,
                "project": project.key,
                "projectId": project.id,
            }
            if component.lead is not None:
                described["lead"] = self.user(component.lead)
        return described

    def version(self, version: model.Version, project: model.Project | None = None) -> JsonObject:
        """Describe a release, with its project's ID if the project is given."""
        described: JsonObject = {
            "self": f"{self.api}/version/{version.id}",
            "id": str(version.id),
            "name": version.name,
            "archived": version.archived,
            "released": version.released,
        }
        if version.description:
            described["description"] = version.description
        if version.start_date is not None:
            described["startDate"] = version.start_date.isoformat()
        if version.release_date is not None:
            described["releaseDate"] = version.release_date.isoformat()
        if project is not None:
            described["projectId"] = project.id
        return described

    def resolution(self, resolution: model.Resolution) -> JsonObject:
        """Describe a resolution."""
        return {
            "self": f"{self.api}/resolution/{resolution.id}",
            "id": str(resolution.id),
            "description": resolution.description,
            "name": resolution.name,
        }

    def sprint(self, sprint: model.Sprint) -> JsonObject:
        """Describe a sprint as in the Sprint field."""
        described: JsonObject = {
            "id": sprint.id,
            "name": sprint.name,
            "state": sprint.state,
            "boardId": sprint.board,
            "goal": sprint.goal,
        }
        if sprint.state == "future":
            return described
        times = {"startDate": sprint.start, "endDate": sprint.end}
        if sprint.state == "closed":
            times["completeDate"] = sprint.complete or sprint.end
        return described | {name: utc_time(time) for name, time in times.items() if time}

    def agile_sprint(self, sprint: model.Sprint) -> JsonObject:
        """Describe a sprint as in the agile interface."""
        described: JsonObject = {
            "id": sprint.id,
            "self": f"{self.agile}/sprint/{sprint.id}",
            "state": sprint.state,
            "name": sprint.name,
            "originBoardId": sprint.board,
            "goal": sprint.goal,
        }
        times = {"startDate": sprint.start, "endDate": sprint.end}
        if sprint.state == "closed":
            times["completeDate"] = sprint.complete or sprint.end
        return described | {name: utc_time(time) for name, time in times.items() if time}

    def epic(self, epic: Issue) -> JsonObject:
        """Describe an epic as in the agile interface."""
        return {
            "id": epic.id,
            "key": epic.key,
            "self": f"{self.agile}/epic/{epic.id}",
            "name": epic.summary,
            "summary": epic.summary,
            "color": {"key": "color_1"},
            "done": epic.resolved is not None,
        }

    def option(self, option: model.Option) -> JsonObject:
        """Describe a choice of a select field."""
        return {
            "self": f"{self.api}/customFieldOption/{option.id}",
            "value": option.value,
            "id": str(option.id),
        }

    def option_tree(self, option: model.Option) -> JsonObject:
        """Describe a choice with those below it."""
        described = self.option(option)
        if option.children:
            described["children"] = [self.option(child) for child in option.children]
        return described

    def group(self, group: model.Group) -> JsonObject:
        """Describe a group."""
        address = f"{self.api}/group?groupId={group.id}"
        return {"name": group.name, "groupId": group.id, "self": address}

    def team(self, team: model.Team) -> JsonObject:
        """Describe a team as in the Team field."""
        return {
            "id": team.id,
            "name": team.name,
            "title": team.name,
            "avatarUrl": "",
            "isVisible": True,
            "isVerified": False,
            "isShared": True,
        }

    def security_level(self, level: model.SecurityLevel) -> JsonObject:
        """Describe a security level."""
        return {
            "self": f"{self.api}/securitylevel/{level.id}",
            "id": str(level.id),
            "description": level.description,
            "name": level.name,
        }
