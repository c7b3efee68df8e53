"""Find the kind and the issues of a link that a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.data.catalogue import LINK_TYPES
from jira_sandbox.errors import RequestRefused

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.parts import LinkType
    from jira_sandbox.data.site import Site

NO_ISSUE: Final = "Issue does not exist or you do not have permission to see it."
_NO_TYPE: Final = "No issue link type with {} '{}' found."


def find_link_type(value: Any) -> LinkType:
    """Find a kind of link by the ID or the name in a JSON object.

    Raises:
        RequestRefused: It does not exist.
    """
    given = value if isinstance(value, dict) else {}
    for key in ("id", "name"):
        if given.get(key) is None:
            continue
        wanted = str(given[key])
        for kind in LINK_TYPES:
            if wanted.lower() == str(getattr(kind, key)).lower():
                return kind
        raise RequestRefused(404, _NO_TYPE.format(key, wanted[:100]))
    raise RequestRefused(400, "Specify a link type by its 'id' or 'name'.")


def find_linked(site: Site, value: Any) -> Issue:
    """Find an issue by the ID or the key in a JSON object.

    Raises:
        RequestRefused: It does not exist.
    """
    given = value if isinstance(value, dict) else {}
    name = given.get("key") or given.get("id")
    issue = site.find(str(name)) if isinstance(name, (str, int)) else None
    if issue is None:
        raise RequestRefused(404, NO_ISSUE)
    return issue
