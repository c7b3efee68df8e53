"""JQL, Jira's query language.

Upwards: `nodes`, the tree; `grammar`, from text to tree; `fields`, what can be named;
`plan`, from tree to a test and an order; `search`, which runs plans over a site.
"""

from __future__ import annotations
