"""The short forms: what people write for what Markdown does not have.

A mention is ``@[Name](account ID)``, a panel ``> [!NOTE]``, a date ``{2026-03-01}``; the other
forms are in the modules. A form is written only where it says all of a node; else the HTML of
marklas stays. What only looks like a form gets a backslash.
"""
