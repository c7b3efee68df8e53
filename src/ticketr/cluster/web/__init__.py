"""Pages for a browser: the jobs of a queue, their progress, their workers, and a button to cancel.

A server of ticketr's own on this machine serves them to those who know its token. They need nothing
from the net: both files that they are built with are in `assets`.
"""

from __future__ import annotations

try:
    from ticketr.cluster.web._login import read_token
    from ticketr.cluster.web._serve import address_of, listen, read_bind, serve
except ModuleNotFoundError as _error:
    if _error.name not in ("starlette", "hypercorn", "jinja2"):
        raise
    message = (
        "the pages need more packages: in a clone of ticketr, run: pip install '.[cluster-web]'"
    )
    raise ModuleNotFoundError(message, name=_error.name) from None

__all__ = ["address_of", "listen", "read_bind", "read_token", "serve"]
