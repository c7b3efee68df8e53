"""The site's REST interface; `app` assembles it."""

from __future__ import annotations
