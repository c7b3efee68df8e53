"""Finding issues, and reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from ticketr.jira.caller import Part
from ticketr.jira.errors import BadAnswer
from ticketr.jira.models import BulkFetched, Issue, SearchPage, SearchResult
from ticketr.jira.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ticketr.jira.answers import Answer

BULK_LIMIT = 100
"""How many issues one bulk fetch may ask for."""

PAGE_SIZE = 5000
"""How many IDs one page of a search may hold."""

MOST_PAGES = 10_000
"""How many pages one search may have."""

MOST_ISSUES = 1_000_000
"""How many issues one search may find."""

PAGES_WITHIN = 3600.0
"""The longest that the pages of one search may take, in seconds."""

_FRUITLESS_PAGES = 10
_SEARCH = "search/jql"


class Searches(Part):
    """The part of a client that finds issues and reads them."""

    async def count(self, jql: str) -> int:
        """Ask for about how many issues a search will find.

        Args:
            jql: The search.

        Raises:
            BadRequest: The site does not understand the search.
        """
        answer = await self._caller.ask("search/approximate-count", {"jql": jql})
        count = answer.object().get("count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise answer.unusable("it tells no count")
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
        answer = await self._caller.ask(_SEARCH, body)
        ids: list[str] = []
        for item in _no_more_than(max_results, answer):
            found = text_of(item.get("id")) or text_of(item.get("key"))
            if not found:
                raise answer.unusable("an issue without ID")
            ids.append(found)
        following = answer.object().get("nextPageToken")
        last = answer.object().get("isLast") is True
        token = following if isinstance(following, str) and following and not last else None
        return SearchPage(tuple(ids), token, answer.date)

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
            BadAnswer: The pages would never end, or there are more than `MOST_PAGES` of them,
                more than `MOST_ISSUES` issues in them, or they take more than `PAGES_WITHIN`.
        """
        with trio.move_on_after(PAGES_WITHIN):
            return await self._every_page(jql, on_page)
        raise self._endless(f"its pages did not end within {PAGES_WITHIN:g} s")

    async def _every_page(self, jql: str, on_page: Callable[[int], None] | None) -> SearchResult:
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
                raise self._endless("its pages go round in circles")
            if len(tokens) + 1 >= MOST_PAGES or len(ids) > MOST_ISSUES:
                raise self._endless(f"{len(ids)} issues on {len(tokens) + 1} pages and no end")
            tokens.add(token)
            page = await self.search_page(jql, token)
            before = len(ids)
            ids |= dict.fromkeys(page.ids)
            fruitless = fruitless + 1 if len(ids) == before else 0

    def _endless(self, problem: str) -> BadAnswer:
        return BadAnswer(self._caller.address(_SEARCH), problem)

    async def bulk_fetch(
        self, ids: Sequence[str], *, fields: Sequence[str], properties: Sequence[str] = ()
    ) -> BulkFetched:
        """Fetch some issues together, as they are now; a search may be some minutes behind.

        Args:
            ids: Their IDs or keys, at most `BULK_LIMIT`.
            fields: Which fields to read.
            properties: Which entity properties to read, at most five.

        Returns:
            The issues in the site's order, and which were missing. An answer that would be too
            large is asked for in two halves.
        """
        if len(ids) > BULK_LIMIT:
            raise ValueError(f"{len(ids)} issues in one request, at most {BULK_LIMIT} are possible")
        if not ids:
            await trio.lowlevel.checkpoint()
            return BulkFetched((), ())
        try:
            return await self._fetch(ids, fields, properties)
        except BadAnswer as error:
            if not error.too_large or len(ids) == 1:
                raise
        half = len(ids) // 2
        first = await self.bulk_fetch(ids[:half], fields=fields, properties=properties)
        second = await self.bulk_fetch(ids[half:], fields=fields, properties=properties)
        return BulkFetched(first.issues + second.issues, first.missing + second.missing)

    async def _fetch(
        self, ids: Sequence[str], fields: Sequence[str], properties: Sequence[str]
    ) -> BulkFetched:
        body: dict[str, object] = {"issueIdsOrKeys": list(ids), "fields": list(fields)}
        if properties:
            body["properties"] = list(properties)
        answer = await self._caller.ask("issue/bulkfetch", body)
        issues: dict[str, Issue] = {}
        for item in _no_more_than(len(ids), answer):
            issue = Issue.read(item)
            if issue is None:
                raise answer.unusable("an issue without key")
            issues.setdefault(issue.id, issue)
        answered = issues.keys() | {issue.key for issue in issues.values()}
        missing = tuple(one for one in dict.fromkeys(ids) if one not in answered)
        return BulkFetched(tuple(issues.values()), missing)

    async def newest_key(self, project: str) -> str | None:
        """Ask for the highest key of a project; as any search it may be some minutes behind.

        Args:
            project: The project's key.

        Returns:
            The key; None if the project has no issue that the account may see.
        """
        quoted = project.replace("\\", "\\\\").replace('"', '\\"')
        jql = f'project = "{quoted}" ORDER BY key DESC'
        answer = await self._caller.ask(_SEARCH, {"jql": jql, "maxResults": 1, "fields": ["key"]})
        for item in answer.array("issues"):
            issue = Issue.read(item)
            if issue is None:
                raise answer.unusable("an issue without key")
            return issue.key
        return None


def _no_more_than(most: int, answer: Answer) -> Iterator[Mapping[str, Any]]:
    """Yield the issues of an answer, which are no more than were asked for."""
    for number, item in enumerate(answer.array("issues")):
        if number == most:
            raise answer.unusable(f"more than the {most} issues that were asked for")
        yield item
