"""What was changed here since the last sync.

One survey of the files serves the commands, the app and a push. Nothing is written.
"""
