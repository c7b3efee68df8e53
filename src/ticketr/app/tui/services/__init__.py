"""The effects of the app: jobs, files, and what is outside of the app."""

from __future__ import annotations
