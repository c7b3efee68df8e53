"""What a queue keeps in SQLite files: the history of its ended jobs, and the store of its live ones."""
