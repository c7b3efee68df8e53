"""The job queue. Programs import it from ``ticketr``, not from here."""

from __future__ import annotations
