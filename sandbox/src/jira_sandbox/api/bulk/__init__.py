"""Bulk operations: a request makes a task, which later requests carry on and report on."""

from __future__ import annotations
