from __future__ import annotations

from typing import Any

import pytest
from sandbox_client import NOW, open_client
from sandbox_walks import unwalked, walk

from jira_sandbox import make_site
from jira_sandbox.api.lookups import LookupRoutes
from jira_sandbox.api.roles import RoleRoutes
from jira_sandbox.api.users import UserRoutes
from jira_sandbox.data.catalogue import USERS

ZOE = USERS[1].account_id
WALK: list[tuple[str, str, Any, int]] = [
    ("GET", f"user?accountId={ZOE}", None, 200),
    ("GET", "user?accountId=x", None, 404),
    ("GET", f"user/bulk?accountId={ZOE}&maxResults=1", None, 200),
    ("GET", "user/search?query=z", None, 200),
    ("GET", f"user/picker?query=&maxResults=2&exclude={ZOE}", None, 200),
    ("GET", "user/assignable/search?project=KIT&query=", None, 200),
    ("GET", "user/assignable/multiProjectSearch?projectKeys=KIT,TEAM&query=a", None, 200),
    ("GET", "user/assignable/multiProjectSearch?projectKeys=NOPE&query=a", None, 404),
    ("GET", "users?startAt=1&maxResults=2", None, 200),
    ("GET", "users/search", None, 200),
    ("GET", "groups/picker?query=sell", None, 200),
    ("GET", "groupuserpicker?query=man", None, 200),
    ("GET", "group/bulk?groupName=managers", None, 200),
    ("GET", "group/member?groupname=managers&maxResults=1", None, 200),
    ("GET", "group/member?groupId=x", None, 404),
    ("GET", "role", None, 200),
    ("GET", "role/10002", None, 200),
    ("GET", "role/1", None, 404),
    ("GET", "project/KIT/role", None, 200),
    ("GET", "project/KIT/role/10003", None, 200),
    ("GET", "mypermissions?permissions=BULK_CHANGE,EDIT_ISSUES", None, 200),
    ("GET", "mypermissions", None, 400),
    ("GET", "mypermissions?permissions=FLY", None, 400),
    ("GET", "issue/picker?query=fish&currentProjectId=10002&showSubTasks=false", None, 200),
    ("GET", "issue/createmeta?projectKeys=TEAM&expand=projects.issuetypes.fields", None, 200),
    ("GET", "issue/createmeta?issuetypeNames=Bug", None, 200),
    ("GET", "label?maxResults=2", None, 200),
    ("GET", "field/search?query=budget&type=custom&maxResults=1", None, 200),
    ("GET", "customFieldOption/10161", None, 200),
    ("GET", "customFieldOption/1", None, 404),
    ("GET", "jql/autocompletedata", None, 200),
    ("GET", "configuration", None, 200),
]


@pytest.mark.parametrize("version", ["3", "2"])
async def test_requests_and_answers_are_as_documented(version: str) -> None:
    await walk(WALK, make_site(tickets=5, seed=1, all_fields=True, clock=lambda: NOW), version)


def test_every_route_of_these_groups_is_walked_with_success() -> None:
    assert unwalked(WALK, (LookupRoutes, RoleRoutes, UserRoutes)) == []


async def test_what_is_looked_up_is_found() -> None:
    site = make_site(tickets=5, seed=1, all_fields=True, clock=lambda: NOW)
    async with open_client(site) as client:

        async def get(path: str) -> Any:
            return (await client.get(path)).json()

        issues = (await get("issue/picker?query=door"))["sections"][0]["issues"]
        by_jql = (await get("issue/picker?currentJQL=key=KIT-1"))["sections"][0]["issues"]
        fields = await get("field/search?query=budget")
        metadata = await get("issue/createmeta?projectKeys=KIT&issuetypeNames=Bug")
        picked = await get(f"user/picker?query=zo&exclude={USERS[2].account_id}")
        groups = await get("groups/picker?query=man")
        roles = await get("project/DEMO/role")
        option = await get("customFieldOption/10161")
        many = await get("user/bulk?accountId=x")
        bad = [
            await client.get(path) for path in ("user/bulk", "user/assignable/multiProjectSearch")
        ]

    assert [issue["key"] for issue in issues] == ["KIT-5"]
    assert [issue["key"] for issue in by_jql] == ["KIT-1"]
    assert [field["id"] for field in fields["values"]] == ["customfield_10103", "customfield_10203"]
    assert [kind["name"] for kind in metadata["projects"][0]["issuetypes"]] == ["Bug"]
    assert [user["displayName"] for user in picked["users"]] == ["Zoë Åkesson"]
    assert [group["name"] for group in groups["groups"]] == ["managers"]
    assert list(roles) == ["Administrators", "Developers", "Users"]
    assert option["value"] == "Spain"
    assert many["values"] == []
    assert [response.status_code for response in bad] == [400, 400]
