"""Joins Jira and the ticket files.

A module is imported when the first of its names is looked up, so that a command such as
``ticketr status`` does not wait for what a push needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._lazy import import_on_use, type_checking_imports

if TYPE_CHECKING:
    from ticketr.app.sync.compare.attachments import size_text
    from ticketr.app.sync.compare.conflict_parts import (
        Choice,
        ConflictPart,
        ConflictView,
        OneSidedChange,
        PartChangeInFile,
        ReplacementText,
        Resolution,
        choose,
    )
    from ticketr.app.sync.compare.diff import Side
    from ticketr.app.sync.compare.diff3 import WordDiffPiece, word_diff
    from ticketr.app.sync.compare.mapping import Columns
    from ticketr.app.sync.concurrency import ThreadRunner
    from ticketr.app.sync.edits.drafts import unfinished_creations_by_draft_object_id
    from ticketr.app.sync.edits.local_changes import TicketChanges
    from ticketr.app.sync.edits.losses import Loss, find_literal_text, find_too_long_titles
    from ticketr.app.sync.edits.push_plan import PlanEntry, PushPlan, read_push_plan
    from ticketr.app.sync.edits.survey import (
        FamilyKeysAndDigest,
        LocalSurvey,
        base_text_by_key,
        check_keys_and_paths,
        find_files,
        keys_and_digest,
        read_state,
        readable_database,
        take_survey,
        visit_files,
    )
    from ticketr.app.sync.errors import (
        LASTING_ERROR_NAMES,
        USAGE_ERROR_NAMES,
        BadPartChoice,
        BadQuery,
        CannotEdit,
        CannotUndo,
        ConflictChanged,
        DuplicateKey,
        FileFailed,
        NoConflict,
        NothingToUndo,
        OtherSite,
        PartsNotChosen,
        RenamedProject,
        StateFailed,
        SyncError,
        UnknownFieldInSettings,
        UnknownProject,
        UnknownTicket,
        UnsendableWorkOrComment,
        UnsupportedFieldInSettings,
        WorkspaceBusy,
    )
    from ticketr.app.sync.file_edits import (
        FieldSetting,
        FileEdit,
        FileEditPlan,
        IssuePlace,
        ListAction,
        add_comment,
        add_drafts_in_new_file,
        add_sub_task,
        carry_out_edits,
        mark_editor_changes_as_edits,
        plan_file_edits,
    )
    from ticketr.app.sync.jobs.bulk import BulkJob, BulkResult, FindIssuesJob, fetch_bulk_issues
    from ticketr.app.sync.jobs.bulk_change import BulkChange, BulkIssue
    from ticketr.app.sync.jobs.single_issues import (
        AddAttachmentsJob,
        CommentJob,
        GetAttachmentsJob,
        ListAttachmentsJob,
        LogWorkJob,
        split_time_and_text,
    )
    from ticketr.app.sync.jobs.syncing import (
        PullJob,
        PushJob,
        SyncJob,
        SyncResult,
        count_tickets,
        left_out_counts,
        says_all_failed,
        says_not_all_done,
    )
    from ticketr.app.sync.notes import (
        OLDER_VALUE_CODES,
        Code,
        Note,
        tagged_keys_and_files,
        ticket_tags,
    )
    from ticketr.app.sync.pull.downloading import AttachmentLists, AttachmentTransferResult
    from ticketr.app.sync.pull.tally import PullResult
    from ticketr.app.sync.push.tally import PushResult
    from ticketr.app.sync.queries import (
        SchemaField,
        keys_of,
        read_allowed_values_and_if_all,
        read_last_change,
        read_next_statuses,
        read_schema,
        search_ids,
    )
    from ticketr.app.sync.resolving import (
        Resolved,
        Take,
        carry_out,
        conflict_of,
        read_conflict,
        resolve,
    )
    from ticketr.app.sync.session import OnTicketsWritten, SessionOptions, raise_if_project_is_cause
    from ticketr.app.sync.state.journal import Conflict, Creation
    from ticketr.app.sync.state.state import State
    from ticketr.app.sync.state.undo import Undoable, UndoStep
    from ticketr.app.sync.templates import Template, find_template_files, read_template
    from ticketr.app.sync.undo import (
        UndoneChange,
        find_last_step,
        read_undo_log,
        require_last_undoable_change,
        steps_of_same_change,
        undo_and_keep_copies,
        undo_step_and_keep_copy,
    )
    from ticketr.app.sync.workspace.editor import (
        FirstConflictMarker,
        find_conflict_marker,
        first_marker_per_file,
        write_drafts,
    )
    from ticketr.app.sync.workspace.store import (
        TEMPLATE_FOLDER,
        LocalTicket,
        Store,
        is_outside_skipped_folders,
    )

_MODULE_BY_NAME = type_checking_imports(__name__, __file__)

if not TYPE_CHECKING:  # pragma: no branch - to a type checker, any name would seem to exist
    __all__ = list(_MODULE_BY_NAME)
    __getattr__ = import_on_use(__name__, _MODULE_BY_NAME)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_BY_NAME} - {"TYPE_CHECKING", "annotations"})
