"""Calls that travel: a function by its name, its arguments as bytes."""
