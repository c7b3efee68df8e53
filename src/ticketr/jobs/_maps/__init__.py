"""Maps and repeats: jobs that the queue itself submits, for items and at due times."""
