"""The generated content: texts about an imaginary bookshop, and issues made of them."""

from __future__ import annotations
