"""Serialize records that issues refer to: users, projects, statuses and so on."""

from __future__ import annotations

from typing import Any

from ticketr.sandbox.data import catalogue, model

JsonObject = dict[str, Any]
_SIZES = {"48x48": "large", "24x24": "small", "16x16": "xsmall", "32x32": "medium"}


def timestamp(millis: int, user: model.User) -> str:
    """Format a time as Jira does, in the time zone of a user."""
    moment = model.from_millis(millis, user.zone)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03d}{moment:%z}"


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

    def user(self, user: model.User, *, in_full: bool = False) -> JsonObject:
        """Describe a user; `in_full` as in ``GET /myself``."""
        described = {
            "self": f"{self.api}/user?accountId={user.account_id}",
            "accountId": user.account_id,
            "emailAddress": user.email,
            "avatarUrls": {
                size: f"{self.base}/avatars/{user.email.split('@')[0]}.png?size={size[:2]}"
                for size in _SIZES
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
            "simplified": False,
            "avatarUrls": {
                size: f"{self.base}/secure/projectavatar?size={name}&pid={project.id}"
                for size, name in _SIZES.items()
            },
        }

    def project_in_full(self, project: model.Project) -> JsonObject:
        """Describe a project as in ``GET /project/{key}``."""
        return {
            "expand": "description,lead,issueTypes,url,projectKeys,permissions,insight",
            **self.project(project),
            "description": project.description,
            "lead": self.user(project.lead),
            "components": [self.component(component) for component in catalogue.COMPONENTS],
            "issueTypes": [self.issue_type(kind) for kind in catalogue.ISSUE_TYPES],
            "assigneeType": "UNASSIGNED",
            "versions": [self.version(version, project) for version in catalogue.VERSIONS],
            "roles": {"Administrators": f"{self.api}/project/{project.id}/role/10002"},
            "style": "classic",
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
        }

    def status(self, status: model.Status) -> JsonObject:
        """Describe a status with its category."""
        category = status.category
        return {
            "self": f"{self.api}/status/{status.id}",
            "description": status.description,
            "iconUrl": f"{self.base}/images/icons/statuses/generic.png",
            "name": status.name,
            "id": str(status.id),
            "statusCategory": {
                "self": f"{self.api}/statuscategory/{category.id}",
                "id": category.id,
                "key": category.key,
                "colorName": category.color,
                "name": category.name,
            },
        }

    def priority(self, priority: model.Priority) -> JsonObject:
        """Describe a priority."""
        return {
            "self": f"{self.api}/priority/{priority.id}",
            "iconUrl": f"{self.base}/images/icons/priorities/{priority.name.lower()}.svg",
            "name": priority.name,
            "id": str(priority.id),
        }

    def component(self, component: model.Component) -> JsonObject:
        """Describe a component."""
        return {
            "self": f"{self.api}/component/{component.id}",
            "id": str(component.id),
            "name": component.name,
        }

    def version(self, version: model.Version, project: model.Project | None = None) -> JsonObject:
        """Describe a release, with its project's ID if the project is given."""
        described = {
            "self": f"{self.api}/version/{version.id}",
            "id": str(version.id),
            "name": version.name,
            "archived": False,
            "released": version.released,
            "releaseDate": version.release_date.isoformat(),
        }
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
        utc = model.User("", "", "")
        described = {
            "id": sprint.id,
            "name": sprint.name,
            "state": sprint.state,
            "boardId": 1,
            "goal": sprint.goal,
        }
        if sprint.state != "future":
            described["startDate"] = timestamp(sprint.start, utc).replace("+0000", "Z")
            described["endDate"] = timestamp(sprint.end, utc).replace("+0000", "Z")
        if sprint.state == "closed":
            described["completeDate"] = described["endDate"]
        return described

    def option(self, option: model.Option) -> JsonObject:
        """Describe a choice of a select field."""
        return {
            "self": f"{self.api}/customFieldOption/{option.id}",
            "value": option.value,
            "id": str(option.id),
        }
