"""Tickets as Markdown: the model of a ticket, its parser and its renderer.

Pure: no waiting, no files, no clock.
"""

from __future__ import annotations

from ticketr.tickets.errors import InvalidKey, InvalidTicket, RepeatedKey, TicketSyntaxError
from ticketr.tickets.grammar import CONFLICT, mistyped_key
from ticketr.tickets.model import NO_TITLE, Ticket, TicketFile
from ticketr.tickets.parser import parse
from ticketr.tickets.renderer import render, render_ticket, rewrite
from ticketr.tickets.validate import is_key, safe_file_name

__all__ = [
    "CONFLICT",
    "NO_TITLE",
    "InvalidKey",
    "InvalidTicket",
    "RepeatedKey",
    "Ticket",
    "TicketFile",
    "TicketSyntaxError",
    "is_key",
    "mistyped_key",
    "parse",
    "render",
    "render_ticket",
    "rewrite",
    "safe_file_name",
]
