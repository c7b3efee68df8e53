"""The site over HTTP: `app` puts together the routes, the lock and the delay."""

from __future__ import annotations
