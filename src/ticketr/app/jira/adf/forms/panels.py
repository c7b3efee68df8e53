"""The words of panels: GitHub's where it has one.

Jira's editor offers note, info, success, warning and error; ``tip`` comes from older ones.
"""

from __future__ import annotations

#: What is written for each kind of panel.
WORDS = {
    "info": "INFO",
    "note": "NOTE",
    "success": "TIP",
    "warning": "WARNING",
    "error": "CAUTION",
    "tip": "HINT",
}
#: What is read: the kind of panel by its word.
PANELS = {
    **{word: kind for kind, word in WORDS.items()},
    "IMPORTANT": "note",
    "SUCCESS": "success",
    "ERROR": "error",
}
