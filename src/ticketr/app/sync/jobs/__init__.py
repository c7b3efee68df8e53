"""The jobs that an app submits to the queue: pull, push, and both.

Each is in a module of its own, so that a pull does not import what a push needs.
"""
