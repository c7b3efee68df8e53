"""Fault injection: `source` draws a fault, `pages` writes its response, `middleware` injects it."""
