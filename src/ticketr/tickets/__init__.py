"""Tickets as Markdown: the model of a ticket, its parser and its renderer.

Pure: no waiting, no files, no clock.
"""

from __future__ import annotations

from ticketr.tickets.errors import InvalidKey, InvalidTicket, RepeatedKey, TicketSyntaxError
from ticketr.tickets.grammar import CONFLICT, mistyped_key
from ticketr.tickets.model import NO_TITLE, Ticket, TicketFile, TicketSpan
from ticketr.tickets.parser import parse
from ticketr.tickets.renderer import append, render, render_ticket, replace, rewrite
from ticketr.tickets.validate import KEY, is_key, safe_file_name

__all__ = [
    "CONFLICT",
    "KEY",
    "NO_TITLE",
    "InvalidKey",
    "InvalidTicket",
    "RepeatedKey",
    "Ticket",
    "TicketFile",
    "TicketSpan",
    "TicketSyntaxError",
    "append",
    "is_key",
    "mistyped_key",
    "parse",
    "render",
    "render_ticket",
    "replace",
    "rewrite",
    "safe_file_name",
]
