"""What programs read of jobs: their changes, their progress, and both as JSON."""
