"""Tickets as Markdown: the model of a ticket, its parser, its renderer, and filters of tickets.

Pure: no waiting, no files, no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr._lazy import import_on_use, type_checking_imports
from ticketr.app.tickets.errors import (
    InvalidFilter,
    InvalidKey,
    TicketSyntaxError,
    UnwritableTicket,
)
from ticketr.app.tickets.grammar import (
    CONFLICT_MARKER,
    is_key,
    key_order,
    md_name_of_key,
    mistyped_key,
    one_line,
)
from ticketr.app.tickets.model import Comment, Ticket, TicketFile
from ticketr.app.tickets.parser import parse
from ticketr.app.tickets.renderer import render, render_ticket, rewrite

# What few commands need, imported when the first name of a module is looked up.
if TYPE_CHECKING:
    from ticketr.app.tickets.filter import (
        FieldTerm,
        FileStateTerm,
        Filter,
        KeysTerm,
        NotTerm,
        Term,
        TextTerm,
        UserAndFieldNames,
        parse_filter,
    )
    from ticketr.app.tickets.filterable import (
        SORT_NAMES,
        FilterableIssue,
        GroupSum,
        filterable_issue_of,
        fold,
        issue_and_point_totals_by,
        points_or_zero,
        rank_of_priority,
        sort_key,
    )

if not TYPE_CHECKING:  # pragma: no branch - to a type checker, any name would seem to exist
    __getattr__ = import_on_use(__name__, type_checking_imports(__name__, __file__))
