"""What lies over the main screen: help, inputs, plans, jobs and so on. Pure.

An overlay is a frozen dataclass and a subclass of `base.Overlay`: it gets the keys while it is on
top, gets every message that the main screen does not use, and draws itself.
"""

from __future__ import annotations
