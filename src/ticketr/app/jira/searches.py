"""Searches issues and reads them in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import trio

from ticketr.app.jira.errors import BadAnswer, IssuesNotReturned, clean_line
from ticketr.app.jira.models import BulkFetched, Issue, objects_in, text_of
from ticketr.app.jira.rest_api import Endpoints, JsonResponse

#: How many issues one bulk fetch may ask for.
BULK_FETCH_LIMIT = 100
#: How many IDs one page of a search may hold.
MAX_IDS_PER_PAGE = 5000
#: How many pages one search may have.
MAX_PAGES = 10_000
#: How many issues one search may find.
MAX_ISSUES_FOUND = 1_000_000

_MAX_PAGES_WITHOUT_NEW = 10
_SEARCH_PATH = "search/jql"
_BULK_FETCH_PATH = "issue/bulkfetch"
_NO_REASON_GIVEN = "no reason given"


class SearchEndpoints(Endpoints):
    """The client's methods that search issues and read them."""

    async def search_ids(self, jql: str) -> tuple[str, ...]:
        """Return the IDs of all pages of a search, in its order and each once.

        An issue that moves between the pages while they are read is returned once.

        Args:
            jql: The search.

        Raises:
            BadRequest: The site does not understand the search.
            BadAnswer: The pages would never end, or there are more than `MAX_PAGES` of them, or
                more than `MAX_ISSUES_FOUND` issues in them.
        """
        body: dict[str, object] = {"jql": jql, "maxResults": MAX_IDS_PER_PAGE, "fields": ["id"]}
        ids: dict[str, None] = {}
        tokens: set[str] = set()
        fruitless = 0
        while True:
            answer = await self._api.read_by_post(_SEARCH_PATH, body)
            before = len(ids)
            for item in answer.array("issues", raise_above=MAX_IDS_PER_PAGE):
                name = text_of(item.get("id")) or text_of(item.get("key"))
                if not name:
                    raise answer.unusable("an issue without ID")
                ids[name] = None
            token = text_of(answer.object().get("nextPageToken"))
            if not token or answer.object().get("isLast") is True:
                return tuple(ids)
            fruitless = fruitless + 1 if len(ids) == before else 0
            if token in tokens or fruitless == _MAX_PAGES_WITHOUT_NEW:
                raise answer.unusable("its pages go round in circles")
            tokens.add(token)
            if len(tokens) >= MAX_PAGES or len(ids) > MAX_ISSUES_FOUND:
                raise answer.unusable(f"{len(ids)} issues on {len(tokens)} pages and no end")
            body["nextPageToken"] = token

    async def bulk_fetch(
        self,
        ids: Sequence[str],
        *,
        fields: Sequence[str],
        properties: Sequence[str] = (),
        partly: bool = False,
    ) -> BulkFetched:
        """Fetch some issues together, as they are now; a search may be some minutes behind.

        Issues that the site names as failed, for instance because an answer with all of them would
        be too large, are requested again as long as the site returns some of them.

        Args:
            ids: Their IDs or keys, at most `BULK_FETCH_LIMIT`.
            fields: Which fields to read.
            properties: Which entity properties to read, at most five.
            partly: Whether to return the issues that the site could return if some failed.

        Returns:
            The issues in the site's order, and which of the requested ones are missing. If an answer
            would be too large, its issues are requested in two halves.

        Raises:
            IssuesNotReturned: The site could not return some of them, unless ``partly``.
        """
        if len(ids) > BULK_FETCH_LIMIT:
            raise ValueError(
                f"{len(ids)} issues in one request, at most {BULK_FETCH_LIMIT} are possible"
            )
        if not ids:
            await trio.lowlevel.checkpoint()
            return BulkFetched((), ())
        selected: dict[str, object] = {"fields": list(fields)}
        if properties:
            selected["properties"] = list(properties)
        fetched = await self._fetch_split_if_too_large(ids, selected)
        failed = fetched.failed
        while failed:
            again = await self._fetch_split_if_too_large(tuple(failed), selected)
            fetched = replace(fetched, failed={}).merged_with(again)
            if len(fetched.failed) == len(failed):
                break
            failed = fetched.failed
        if failed and not partly:
            raise IssuesNotReturned(self._api.address(_BULK_FETCH_PATH), tuple(failed.items()))
        return fetched

    async def find_renamed(
        self, fetched: BulkFetched, *, fields: Sequence[str]
    ) -> dict[str, Issue]:
        """Find which of the missing issues are those under another key, such as moved ones.

        Args:
            fetched: What a request for several issues has returned.
            fields: Which fields to read.

        Returns:
            The issues, by the ID or key that was requested.

        Raises:
            IssuesNotReturned: The site could not return one of them.
        """
        renamed: dict[str, Issue] = {}
        for name in fetched.missing if fetched.renamed else ():
            # An answer to one key alone shows which issue had that key.
            alone = await self.bulk_fetch([name], fields=fields)
            renamed.update((name, issue) for issue in alone.renamed)
        return renamed

    async def _fetch_split_if_too_large(
        self, ids: Sequence[str], selected: Mapping[str, object]
    ) -> BulkFetched:
        """Fetch issues in one request, or in several where the answer would be too large."""
        try:
            answer = await self._api.read_by_post(
                _BULK_FETCH_PATH, {"issueIdsOrKeys": list(ids), **selected}
            )
        except BadAnswer as error:
            if not error.too_large or len(ids) == 1:
                raise
        else:
            return self._read_fetched(ids, answer)
        half = len(ids) // 2
        first = await self._fetch_split_if_too_large(ids[:half], selected)
        return first.merged_with(await self._fetch_split_if_too_large(ids[half:], selected))

    def _read_fetched(self, ids: Sequence[str], answer: JsonResponse) -> BulkFetched:
        """Sort the issues of an answer into requested, failed, missing and unrequested ones."""
        requested = {one.upper() for one in ids}
        issues: dict[str, Issue] = {}
        others: dict[str, Issue] = {}
        unreadable: list[Mapping[str, Any]] = []
        for item in answer.array("issues", raise_above=len(ids)):
            issue = Issue.read(item)
            if issue is None:
                unreadable.append({"id": item.get("id"), "errorMessage": "its answer has no key"})
                continue
            kept = others if requested.isdisjoint((issue.id, issue.key.upper())) else issues
            kept.setdefault(issue.id, issue)
        given = {name for one in issues.values() for name in (one.id, one.key.upper())}
        missing = tuple(one for one in dict.fromkeys(ids) if one.upper() not in given)
        errors = (*unreadable, *objects_in(answer.object().get("issueErrors")))
        failed: dict[str, str] = {}
        for item in errors:
            message = self._api.redact(text_of(item.get("errorMessage")))
            words = clean_line(message) or _NO_REASON_GIVEN
            name = (text_of(item.get("id")) or text_of(item.get("key"))).upper()
            if name in given:
                continue
            named = [one for one in missing if one.upper() == name]
            # The answer may name an issue by its ID that was requested by its key.
            possible = [one for one in missing if not (name and one.isdecimal())]
            failed |= dict.fromkeys(named or possible, words)
        missing = tuple(one for one in missing if one not in failed)
        return BulkFetched(tuple(issues.values()), missing, failed, tuple(others.values()))

    async def highest_key(self, project: str) -> str | None:
        """Return the highest key of a project; as any search it may be some minutes behind.

        Args:
            project: The project's key.

        Returns:
            The key; None if the project has no issue that the account may see.
        """
        return await self.first_key(f"project = {_quoted(project)} ORDER BY key DESC")

    async def key_in_status(self, project: str, type_ids: Iterable[str], status: str) -> str | None:
        """Return the key of an issue in a status; None if a search finds none.

        Args:
            project: The project's key.
            type_ids: The IDs of the types that it may have.
            status: The name of the status.
        """
        types = ", ".join(text if text.isdecimal() else _quoted(text) for text in type_ids)
        words = (f"project = {_quoted(project)}", f"issuetype in ({types})")
        return await self.first_key(" AND ".join((*words, f"status = {_quoted(status)}")))

    async def first_key(self, jql: str) -> str | None:
        """Return the key of the first issue that a search finds; None for none."""
        answer = await self._api.read_by_post(
            _SEARCH_PATH, {"jql": jql, "maxResults": 1, "fields": ["key"]}
        )
        for item in answer.array("issues"):
            issue = Issue.read(item)
            if issue is None:
                raise answer.unusable("an issue without key")
            return issue.key
        return None


def _quoted(text: str) -> str:
    """Return a text as JQL writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
