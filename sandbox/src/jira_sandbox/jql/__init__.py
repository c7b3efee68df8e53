"""JQL, Jira's query language.

Each module imports only those before it: `nodes` is the syntax tree, `grammar` parses text,
`fields` lists the searchable fields, `plan` compiles a tree to a filter and a sort order, and
`search` runs plans over a site.
"""

from __future__ import annotations
