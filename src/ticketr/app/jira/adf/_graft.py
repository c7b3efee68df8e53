"""Puts an edited description together from Jira's own blocks and the blocks that were edited.

Three versions of a document are compared: what Jira has, what the file showed of it, and what the
edited file says. A block that reads in the file as before goes back as Jira has it, with all that
a file does not show. A block that was edited is converted, and keeps those attributes and those
blocks in it that were not edited. What an edited block loses is reported.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, TypeAlias

from ticketr.app.jira.adf._alignment import Block, BlockChanges, BlockReader, is_inline, pair_blocks
from ticketr.app.jira.adf._canonical import Json, canonical, content_of
from ticketr.app.jira.adf._losses import MAX_NAMED_LOSSES, ReplacementLosses
from ticketr.app.jira.adf._plain import is_too_large_for_jira, walk
from ticketr.app.jira.adf._schema import find_problems

_KEYS_LEFT_AS_IN_JIRA = frozenset({"type", "content", "version", "attrs"})


def merged_except_content(original: Block, shown: Block, edited: Block) -> Json:
    """Return a block with Jira's attributes and marks, changed only where the file was edited."""
    if original.kind != edited.kind:
        return edited.node
    if shown.shell_key == edited.shell_key:
        return original.node
    before, after = (canonical({**block.node, "content": []}) for block in (shown, edited))
    result = _apply_difference(original.node, before, after, edited.node)
    attrs = original.node.get("attrs")
    old, new = (node.get("attrs", {}) for node in (before, after))
    if old != new:
        result["attrs"] = _apply_difference(attrs if isinstance(attrs, dict) else {}, old, new, new)
        if not result["attrs"] and "attrs" not in original.node:
            del result["attrs"]
    return result


def _apply_difference(original: Json, before: Json, after: Json, new_values: Json) -> Json:
    """Apply the difference between two records to a third one."""
    result = dict(original)
    for name in dict.fromkeys((*before, *after)):
        if name in _KEYS_LEFT_AS_IN_JIRA and new_values is not after:
            continue
        if name not in after:
            result.pop(name, None)
        elif name not in before or before[name] != after[name]:
            result[name] = new_values[name]
    return result


def line_reusing_jira_inlines(shell: Json, original: Block, edited: Block) -> Json:
    """Return a line of text with Jira's own mentions, dates and the like where they are still there."""
    content = edited.node.get("content")
    if not isinstance(content, list):
        return {name: value for name, value in shell.items() if name != "content"}
    known: dict[str, deque[Any]] = {}
    for node in content_of(original.node):
        if _is_inline_but_no_text(node):
            known.setdefault(_canonical_json(node), deque()).append(node)
    line = [
        known[key].popleft()
        if _is_inline_but_no_text(node) and known.get(key := _canonical_json(node))
        else node
        for node in content
    ]
    return {**shell, "content": line}


def _is_inline_but_no_text(node: object) -> bool:
    return isinstance(node, dict) and is_inline(node) and node.get("type") != "text"


def _canonical_json(node: Json) -> str:
    return json.dumps(canonical(node), sort_keys=True, default=repr)


_LOCAL_ID_KEY = "localId"


def with_new_ids(node: Json, ids: Iterator[str]) -> Json:
    """Return a document or a block with other IDs."""
    result = dict(node)
    if _local_id(node) is not None:
        result["attrs"] = {**node["attrs"], _LOCAL_ID_KEY: next(ids)}
    content = node.get("content")
    if isinstance(content, list):
        result["content"] = [
            with_new_ids(value, ids) if isinstance(value, dict) else value for value in content
        ]
    return result


def _local_id(node: Json) -> str | None:
    attrs = node.get("attrs")
    local_id = attrs.get(_LOCAL_ID_KEY) if isinstance(attrs, dict) else None
    return local_id if isinstance(local_id, str) else None


#: The place of a block: its index in the document, then in the block there, and so on.
BlockPath: TypeAlias = tuple[int, ...]


class LostHiddenPiece(NamedTuple):
    """A piece of a document in Jira that an edit removes though the file does not show it.

    Attributes:
        what: The piece, in words.
        edited_block_path: The place of the edited block in the edited document; the index of a block
            that was deleted is that of the next one. Empty if it is in no one block.
    """

    what: str
    edited_block_path: BlockPath


@dataclass(frozen=True, slots=True)
class Grafted:
    """A document that was put together.

    Attributes:
        document: The document to send.
        losses: What Jira would lose by it.
    """

    document: Json
    losses: tuple[LostHiddenPiece, ...] = ()


def graft(
    original: object,
    shown: Json,
    edited: Json,
    *,
    must_fit_schema: bool = False,
) -> Grafted:
    """Put an edited description together from Jira's own blocks and those that were edited.

    A block that reads in the file as before goes back as Jira has it, equal as JSON; only edited
    blocks are converted.

    Args:
        original: The document that Jira has.
        shown: The file's text of it before the edit, as a document.
        edited: What the file says now, as a document.
        must_fit_schema: Whether to convert all of it if Jira's own blocks do not fit Jira's rules, and not
            only if one does not fit its new place. Jira may have changed its rules since we learned
            them, and may refuse what it has kept from older days.

    Returns:
        The document to send, which shares blocks with the arguments, and what Jira would lose.
    """
    if not isinstance(original, dict) or is_too_large_for_jira(original):
        return _whole_edited_document(original, shown, edited)
    try:
        grafted = _Graft(original, shown, edited).graft()
    except RecursionError:  # below the depth that is compared
        return _whole_edited_document(original, shown, edited)
    # A block of Jira's may have got into a place that Jira does not allow.
    known = Counter(() if must_fit_schema else find_problems(original))
    if Counter(find_problems(grafted.document)) - known and not find_problems(edited):
        return _whole_edited_document(original, shown, edited)
    return grafted


def _whole_edited_document(original: object, shown: Json, edited: Json) -> Grafted:
    """Return the whole edited document as it was converted, with all that is lost by it."""
    try:
        lost = ReplacementLosses(original, shown, edited).describe_undescribed_losses()
    except RecursionError:
        lost = ("what is nested too deep for a file",)
    if is_too_large_for_jira(original):
        lost = ("all that is too large for a file",)
    return Grafted(edited, tuple(LostHiddenPiece(what, ()) for what in lost[:MAX_NAMED_LOSSES]))


@dataclass(frozen=True, slots=True)
class _BlockEdit:
    """An edited or a deleted block.

    Attributes:
        original: What was there in Jira.
        shown_in_file: What the file showed of that.
        replacement_nodes: What takes its place; empty if it was deleted.
        path: Its place in the edited document.
    """

    original: Sequence[Json]
    shown_in_file: Sequence[Json]
    replacement_nodes: Sequence[Json]
    path: BlockPath


class _Graft:
    """One edited description: Jira's document, what the file showed of it, and the edited file."""

    def __init__(self, original: Json, shown: Json, edited: Json) -> None:
        self._original, self._shown = original, shown
        taken = set(map(_local_id, walk(original)))
        free_ids = (number for number in map(str, count(1)) if number not in taken)
        self._edited = with_new_ids(edited, free_ids)
        self._reader = BlockReader()
        self._edits: list[_BlockEdit] = []

    def graft(self) -> Grafted:
        """Put the document together."""
        read = self._reader.read_blocks
        content = self._graft_blocks(
            read(self._original), read(self._shown), read(self._edited), ()
        )
        document = {**self._original, "content": content}
        losses = ReplacementLosses(self._original, self._shown, document)
        lost = [
            LostHiddenPiece(what, edit.path)
            for edit in self._edits
            for what in losses.describe_and_pop_losses_in(
                edit.original, edit.shown_in_file, edit.replacement_nodes
            )
        ]
        lost += (LostHiddenPiece(what, ()) for what in losses.describe_undescribed_losses())
        return Grafted(document, tuple(dict.fromkeys(lost))[:MAX_NAMED_LOSSES])

    def _graft_blocks(
        self,
        original: Sequence[Block],
        shown: Sequence[Block],
        edited: Sequence[Block],
        path: BlockPath,
        *,
        in_row: bool = False,
    ) -> list[Json]:
        """Put the blocks of one place together."""
        all_units = pair_blocks(original, shown)
        changes = BlockChanges(all_units, edited, in_row=in_row)
        result: dict[int, list[Json]] = {}
        for at, unit in changes.same.items():
            result[at] = (
                _nodes_of(unit.all_jira_blocks)
                if unit.jira_blocks
                else _nodes_of(edited[at : at + len(unit.file_blocks)])
            )
            result |= {at + index: [] for index in range(1, len(unit.file_blocks))}
        for at, unit in changes.became.items():
            middle = self._merge_block(
                unit.jira_blocks[0], unit.file_blocks[0], edited[at], (*path, at)
            )
            result[at] = [*_nodes_of(unit.hidden_before), middle, *_nodes_of(unit.hidden_after)]
        for at, block in enumerate(edited):
            if at not in result:
                result[at] = [block.node]
        for gone in changes.gone:
            unit, at = gone.blocks, gone.index_in_edited
            place = (*path, at)
            new = [node for index in gone.replacement_indices for node in result[index]]
            edit = _BlockEdit(_nodes_of(unit.jira_blocks), _nodes_of(unit.file_blocks), new, place)
            self._edits.append(edit)
            if edited:  # nobody meant to delete what the file does not show
                last = gone.replacement_indices[-1] if gone.replacement_indices else at - 1
                result[at] = [*_nodes_of(unit.hidden_before), *result.get(at, [])]
                result[last] = [*result.get(last, []), *_nodes_of(unit.hidden_after)]
            else:
                hidden = _nodes_of((*unit.hidden_before, *unit.hidden_after))
                self._edits.append(_BlockEdit(hidden, [], [], place))
        unshown = [] if shown else all_units
        invisible = _nodes_of(block for unit in unshown for block in unit.all_jira_blocks)
        return invisible + [node for at in sorted(result) for node in result[at]]

    def _merge_block(self, original: Block, shown: Block, edited: Block, path: BlockPath) -> Json:
        """Return an edited block with all of Jira's that was not edited."""
        node = dict(merged_except_content(original, shown, edited))
        if original.kind == edited.kind and shown.content_key == edited.content_key:
            if "content" in original.node:
                node["content"] = original.node["content"]
        elif edited.is_leaf:
            node = line_reusing_jira_inlines(node, original, edited)
        else:
            node["content"] = self._graft_blocks(
                original.child_blocks,
                shown.child_blocks,
                edited.child_blocks,
                path,
                in_row=edited.kind == "tableRow",
            )
        if original.is_leaf or shown.is_leaf or edited.is_leaf:
            self._edits.append(_BlockEdit([original.node], [shown.node], [node], path))
        elif shown.shell_key != edited.shell_key or original.kind != edited.kind:
            before, middle, after = (
                [{**version, "content": []}] for version in (original.node, shown.node, node)
            )
            self._edits.append(_BlockEdit(before, middle, after, path))
        return node


def _nodes_of(blocks: Iterable[Block]) -> list[Json]:
    return [block.node for block in blocks]
