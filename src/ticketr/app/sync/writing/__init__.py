"""Write tickets that came from Jira: the file first, then the state.

Synchronous, for a worker thread.
"""
