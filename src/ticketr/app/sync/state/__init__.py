"""The SQLite file of a workspace: what was true at the last sync, and what is on its way.

Only this room reads or writes `state.db`. All of it is synchronous, for a worker thread.
"""
