"""A Jira Cloud site in a box, to try ticketr on and to test it against.

Each of its parts imports only those before it: `data` holds a site and stores it in a file,
`content` generates issues, `opening` loads or generates a site, `jql` runs queries, `faults`
makes requests fail, `api` is the REST interface behind `auth`, and `server` listens on a
socket. The sandbox shares no code with ticketr's own client, so that each checks the other.
"""

from __future__ import annotations

from jira_sandbox.api.app import create_app
from jira_sandbox.api.gateway import CLOUD_ID
from jira_sandbox.auth import EMAIL, SCOPED_TOKEN, TOKEN
from jira_sandbox.content.seed import make_site
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.model import User
from jira_sandbox.data.site import Site
from jira_sandbox.data.storage import SiteFile
from jira_sandbox.errors import BadFaults, CannotListen, DataFailed, OtherSeed, SandboxError
from jira_sandbox.faults.source import Fault, FaultKind, Faults, FaultSource
from jira_sandbox.opening import open_site, user_in
from jira_sandbox.server import run, serve
