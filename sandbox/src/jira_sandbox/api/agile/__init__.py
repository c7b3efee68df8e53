"""The agile interface, ``/rest/agile/1.0``: boards, sprints, backlogs, epics and ranks."""

from __future__ import annotations
