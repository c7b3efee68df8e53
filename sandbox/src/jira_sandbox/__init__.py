"""A Jira Cloud site in a box, to try ticketr on and to test it against.

Each of its parts imports only those before it: `data` holds a site and stores it in a file,
`content` generates issues, `opening` loads or generates a site, `jql` runs queries, `faults`
makes requests fail, `api` is the REST interface behind `auth`, and `server` listens on a
socket. The sandbox shares no code with ticketr's own client, so that each checks the other.
"""

from __future__ import annotations

from ticketr.sandbox.api.app import create_app
from ticketr.sandbox.api.gateway import CLOUD_ID
from ticketr.sandbox.auth import EMAIL, SCOPED_TOKEN, TOKEN
from ticketr.sandbox.content.seed import make_site
from ticketr.sandbox.data.catalogue import DEMO_USER
from ticketr.sandbox.data.model import User
from ticketr.sandbox.data.site import Site
from ticketr.sandbox.data.storage import SiteFile
from ticketr.sandbox.errors import BadFaults, CannotListen, DataFailed, OtherSeed, SandboxError
from ticketr.sandbox.faults.source import Fault, FaultKind, Faults, FaultSource
from ticketr.sandbox.opening import open_site, user_in
from ticketr.sandbox.server import run, serve
