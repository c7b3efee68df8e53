"""The files of a workspace on disk: find, read and replace them without losing any.

Nothing here knows Jira. All of it is synchronous, for a worker thread.
"""
