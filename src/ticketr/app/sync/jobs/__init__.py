"""The jobs that an app submits to the queue: pull, push, both, and those that change no ticket file."""
