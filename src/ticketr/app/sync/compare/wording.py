"""Keeps the Markdown of rich texts, as its author wrote it, where Jira has the same. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial

from ticketr.app.jira import adf
from ticketr.app.jira.models import Issue
from ticketr.app.sync.compare.attachments import media_ids_by_name
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD, jira_comments
from ticketr.app.sync.compare.diff import CorePart, are_equivalent, issues_by_key, map_issues
from ticketr.app.tickets import Comment, Ticket


def keep_wording_of_base(
    ticket: Ticket,
    issues: Iterable[Issue],
    *,
    base: Ticket,
    earlier: Iterable[Issue],
    sections: Collection[tuple[str, str]] = (),
) -> Ticket:
    """Return a ticket with the old Markdown of rich texts whose ADF has not changed.

    Another version of this program may convert the same ADF to other Markdown.

    Args:
        ticket: The ticket as Jira has it now.
        issues: Its issues as Jira has them now.
        base: The ticket at the last sync.
        earlier: Its issues at the last sync.
        sections: Pairs of the name and the ID of each field with a section of its own.
    """
    old, now = issues_by_key(base), {issue.key: issue for issue in issues}
    before = {issue.id: issue.fields for issue in earlier}

    def reworded(issue: Ticket) -> Ticket:
        own, jiras = old.get(issue.key or ""), now.get(issue.key or "")
        if own is None or jiras is None or jiras.id not in before:
            return issue
        fields, old_fields = jiras.fields, before[jiras.id]
        is_same = partial(_is_same_text_and_file_names, fields=fields, base=old_fields)
        bodies = {comment.id: comment.body for comment in jira_comments(old_fields)}
        comments = {
            comment.id
            for comment in jira_comments(fields)
            if comment.id in bodies and is_same(comment.body, bodies[comment.id])
        }
        words = {comment.id: comment.text for comment in own.comments if comment.id in comments}
        same = {
            name: own.rich_texts[name]
            for name, field_id in sections
            if name in own.rich_texts and is_same(fields.get(field_id), old_fields.get(field_id))
        }
        issue = replace(
            issue,
            comments=tuple(
                replace(comment, text=words.get(comment.id, comment.text))
                for comment in issue.comments
            ),
            rich_texts={name: same.get(name, text) for name, text in issue.rich_texts.items()},
        )
        if not is_same(fields.get(DESCRIPTION_FIELD), old_fields.get(DESCRIPTION_FIELD)):
            return issue
        return replace(
            issue, description=own.description, acceptance_criteria=own.acceptance_criteria
        )

    return map_issues(ticket, reworded)


def _is_same_text_and_file_names(
    document: object, before: object, *, fields: Mapping[str, object], base: Mapping[str, object]
) -> bool:
    """Return whether a rich text is the same, and the files that it shows have the same names.

    Args:
        document: The text as Jira has it now.
        before: The text at the last sync.
        fields: The fields of its issue as Jira has them now.
        base: The fields at the last sync.
    """
    if document != before and adf.canonical(document) != adf.canonical(before):
        return False
    names = {media: name for name, media in media_ids_by_name(base).items()}
    now = media_ids_by_name(fields)
    shown = adf.pictured_files(document) if names else ()
    return all(
        now.get(names[file.media_id]) == file.media_id for file in shown if file.media_id in names
    )


def keep_wording_of_file(ticket: Ticket, local: Ticket, issues: Iterable[Issue]) -> Ticket:
    """Return a ticket in the wording of its file, wherever Jira has what the file says.

    After a push, that is all that was sent; after a change in Jira, all that was not changed there.

    Args:
        ticket: The ticket as Jira has it now.
        local: The ticket in its file.
        issues: Its issues as Jira has them now.
    """
    here = issues_by_key(local)
    media_ids_by_key = {issue.key: media_ids_by_name(issue.fields) for issue in issues}

    def kept(issue: Ticket) -> Ticket:
        own = here.get(issue.key or "")
        if own is None or own == issue:
            return issue
        in_wording = partial(_text_in_wording, media_ids=media_ids_by_key.get(own.key or "", {}))
        words = {comment.id: comment.text for comment in own.comments if comment.id}
        new = [comment.text for comment in own.comments if not comment.id]

        def worded(comment: Comment) -> Comment:
            same = (text for text in new if in_wording(comment.text, text) == text)
            like = words.get(comment.id) or next(same, comment.text)
            return replace(comment, text=in_wording(comment.text, like))

        return replace(
            issue,
            description=in_wording(issue.description, own.description),
            acceptance_criteria=_criteria_in_wording(
                issue.acceptance_criteria, own.acceptance_criteria
            ),
            comments=tuple(map(worded, issue.comments)),
            rich_texts={
                name: in_wording(text, own.rich_texts.get(name, ""))
                for name, text in issue.rich_texts.items()
            },
        )

    return map_issues(ticket, kept)


def _text_in_wording(text: str, like: str, media_ids: Mapping[str, str]) -> str:
    if text == like or adf.is_surely_too_long(text) or adf.is_surely_too_long(like):
        return text
    if are_equivalent(CorePart.DESCRIPTION, text, like):
        return like
    return adf.reworded(text, like, media_ids=media_ids) if text and like else text


def _criteria_in_wording(criteria: tuple[str, ...], like: tuple[str, ...]) -> tuple[str, ...]:
    if not set(criteria).difference(like) or any(
        adf.is_surely_too_long(*texts) for texts in (criteria, like)
    ):
        return criteria
    known = {_adf_and_lost_texts(text): text for text in like if text not in criteria}
    return tuple(
        text if text in like else known.get(_adf_and_lost_texts(text), text) for text in criteria
    )


def _adf_and_lost_texts(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what Jira would get from a text, as a value that can be compared."""
    return json.dumps(
        adf.canonical(adf.to_adf(text, media_ids=adf.NAMES_AS_MEDIA_IDS)), sort_keys=True
    ), adf.lost_texts(text)
