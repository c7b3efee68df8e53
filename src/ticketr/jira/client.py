"""Jira's REST interface, version 3 (Cloud), as far as ticketr needs it."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import trio

from ticketr.jira.calls import Caller
from ticketr.jira.credentials import normalise_site
from ticketr.jira.models import (
    BulkFetched,
    Field,
    Issue,
    Project,
    SearchPage,
    SearchResult,
    ServerInfo,
    User,
    objects,
    read_http_date,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ticketr.jira.credentials import Credentials
    from ticketr.jira.limits import RetryRule
    from ticketr.jira.transport.base import Response, Transport

API = "3"
"""The version of the interface: Cloud's, with rich text as ADF."""

BULK_LIMIT = 100
"""How many issues one bulk fetch may ask for."""

PAGE_SIZE = 5000
"""How many IDs one page of a search may hold."""

_FRUITLESS_PAGES = 10
_GATEWAY = "api.atlassian.com"


class JiraClient:
    """Asks one Jira site; made by `open_jira`.

    Every method may be called by several tasks at once. Each ends at once when cancelled, in
    whatever step, and raises the errors of `ticketr.jira.errors` only.

    Attributes:
        site: The site's address.
    """

    def __init__(self, caller: Caller) -> None:
        self.site = caller.site
        self._caller = caller
        self._browse_base = caller.site

    def __repr__(self) -> str:
        return f"<JiraClient of {self.site}>"

    def browse_url(self, key: str) -> str:
        """Give the address of an issue for a browser."""
        return f"{self._browse_base}/browse/{quote(key, safe='')}"

    async def server_info(self) -> ServerInfo:
        """Ask the site about itself; this needs no valid token."""
        answer = self._object("serverInfo", await self._caller.get("serverInfo"))
        info = ServerInfo.read(answer)
        if info is None:
            raise self._caller.unusable("serverInfo", "it tells no version")
        if urlsplit(self.site).hostname == _GATEWAY and info.base_url:
            self._browse_base = info.base_url.rstrip("/")
        return info

    async def myself(self) -> User:
        """Ask who is asking; this tells whether the token is good."""
        user = User.read(self._object("myself", await self._caller.get("myself")))
        if user is None:
            raise self._caller.unusable("myself", "it tells no account")
        return user

    async def fields(self) -> tuple[Field, ...]:
        """Ask for every field that the site's issues can have."""
        _, answer = await self._caller.get("field")
        if not isinstance(answer, list):
            raise self._caller.unusable("field", "no list")
        return tuple(field for item in objects(answer) if (field := Field.read(item)) is not None)

    async def project(self, key: str) -> Project:
        """Ask for one project.

        Args:
            key: Its key, or its number.

        Raises:
            NotFound: There is none, or the account may not see it.
        """
        path = f"project/{_one_step(key)}"
        project = Project.read(self._object(path, await self._caller.get(path)))
        if project is None:
            raise self._caller.unusable(path, "it tells no key")
        return project

    async def count(self, jql: str) -> int:
        """Ask for about how many issues a search will find.

        Args:
            jql: The search.

        Raises:
            BadRequest: The site does not understand the search.
        """
        path = "search/approximate-count"
        answer = self._object(path, await self._caller.post(path, {"jql": jql}))
        count = answer.get("count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise self._caller.unusable(path, "it tells no count")
        return count

    async def search_page(
        self,
        jql: str,
        token: str | None = None,
        *,
        max_results: int = PAGE_SIZE,
        fields: Sequence[str] = ("id",),
    ) -> SearchPage:
        """Ask for one page of a search.

        Args:
            jql: The search.
            token: The previous page's ``next_token``; None for the first page.
            max_results: The most issues to answer; a site may answer fewer.
            fields: Which fields to read; more than ID and key make the pages smaller.

        Raises:
            BadRequest: The site does not understand the search.
        """
        body: dict[str, object] = {
            "jql": jql,
            "maxResults": max_results,
            "fields": list(fields),
        }
        if token is not None:
            body["nextPageToken"] = token
        response, answer = await self._caller.post("search/jql", body)
        if not isinstance(answer, Mapping) or not isinstance(answer.get("issues"), list):
            raise self._caller.unusable("search/jql", "no list of issues")
        ids: list[str] = []
        for item in objects(answer["issues"]):
            found = item.get("id") or item.get("key")
            if not isinstance(found, str | int) or isinstance(found, bool):
                raise self._caller.unusable("search/jql", "an issue without ID")
            ids.append(str(found))
        following = answer.get("nextPageToken")
        last = answer.get("isLast") is True or not isinstance(following, str) or not following
        date = read_http_date(response.headers.get("date"))
        return SearchPage(tuple(ids), None if last else following, date)

    async def search_ids(
        self, jql: str, *, on_page: Callable[[int], None] | None = None
    ) -> SearchResult:
        """Walk all pages of a search.

        An issue that moves between the pages while they are read is given once.

        Args:
            jql: The search.
            on_page: Called after each page with the number of issues so far.

        Raises:
            BadRequest: The site does not understand the search.
            BadAnswer: The pages would never end.
        """
        page = await self.search_page(jql)
        date = page.server_date
        ids = dict.fromkeys(page.ids)
        tokens: set[str] = set()
        fruitless = 0
        while True:
            if on_page is not None:
                on_page(len(ids))
            token = page.next_token
            if token is None:
                return SearchResult(tuple(ids), date)
            if token in tokens or fruitless == _FRUITLESS_PAGES:
                raise self._caller.unusable("search/jql", "its pages go round in circles")
            tokens.add(token)
            page = await self.search_page(jql, token)
            before = len(ids)
            ids |= dict.fromkeys(page.ids)
            fruitless = fruitless + 1 if len(ids) == before else 0

    async def bulk_fetch(self, ids: Sequence[str], *, fields: Sequence[str]) -> BulkFetched:
        """Fetch some issues together.

        Args:
            ids: Their IDs or keys, at most `BULK_LIMIT`.
            fields: Which fields to read.

        Returns:
            The issues in the site's order, and which were missing.
        """
        if len(ids) > BULK_LIMIT:
            raise ValueError(f"{len(ids)} issues in one request, at most {BULK_LIMIT} are possible")
        if not ids:
            await trio.lowlevel.checkpoint()
            return BulkFetched((), ())
        body = {"issueIdsOrKeys": list(ids), "fields": list(fields)}
        path = "issue/bulkfetch"
        answer = self._object(path, await self._caller.post(path, body))
        if not isinstance(answer.get("issues"), list):
            raise self._caller.unusable(path, "no list of issues")
        issues: dict[str, Issue] = {}
        for item in objects(answer["issues"]):
            issue = Issue.read(item)
            if issue is None:
                raise self._caller.unusable(path, "an issue without key")
            issues.setdefault(issue.id, issue)
        answered = issues.keys() | {issue.key for issue in issues.values()}
        missing = tuple(one for one in dict.fromkeys(ids) if one not in answered)
        return BulkFetched(tuple(issues.values()), missing)

    def _object(self, path: str, answer: tuple[Response, Any]) -> Mapping[str, Any]:
        if not isinstance(answer[1], Mapping):
            raise self._caller.unusable(path, "no JSON object")
        return answer[1]


@asynccontextmanager
async def open_jira(
    credentials: Credentials,
    *,
    site: str | None = None,
    transport: Transport | None = None,
    allow_http: bool = False,
    max_concurrency: int = 4,
    answer_within: float = 30.0,
    retry: RetryRule | None = None,
    on_wait: Callable[[float, str], None] | None = None,
    chance: Callable[[], float] = random.random,
) -> AsyncGenerator[JiraClient]:
    """Open a client of one Jira site; nothing is sent yet.

    Args:
        credentials: Who is asking.
        site: The site to ask, if its address comes from elsewhere than the token. It must be the
            token's own site.
        transport: Who speaks HTTP; opened and closed here. The default uses httpx.
        allow_http: Whether plain http may leave this machine.
        max_concurrency: How many requests may run together.
        answer_within: How long the site may be silent, in seconds; for the default transport.
        retry: How patient to be.
        on_wait: Told before each wait: the seconds, and why.
        chance: The source of chance for the waits, as `random.random`.

    Yields:
        The client. When the block is left, or cancelled, every connection is closed.

    Raises:
        BadSite: The site's address cannot be used.
        InsecureSite: It is plain http to another machine.
        WrongSite: The token belongs to another site.
    """
    client_site = credentials.site if site is None else site
    if transport is None:
        # Loaded when it is needed: httpx takes longer to import than all of ticketr.
        from ticketr.jira.transport._httpx import HttpxTransport  # noqa: PLC0415  (see above)

        normalise_site(client_site, allow_http=allow_http)
        transport = HttpxTransport(answer_within=answer_within)
    caller = Caller(
        credentials,
        transport,
        site=client_site,
        api=API,
        allow_http=allow_http,
        max_concurrency=max_concurrency,
        retry=retry,
        on_wait=on_wait,
        chance=chance,
    )
    async with transport:
        yield JiraClient(caller)


def _one_step(text: str) -> str:
    """Quote a text so that it is one step of a path, and only that."""
    return quote(text, safe="").replace(".", "%2E")
