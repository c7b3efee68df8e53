"""The seeded content: texts of an imaginary bookshop, and issues made from them."""

from __future__ import annotations
