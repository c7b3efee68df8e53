"""Phrases and sentences that fit an issue of any area."""

from __future__ import annotations

from typing import Final

QUALIFIERS: Final = (
    "on small screens",
    "for guests",
    "in the German shop",
    "for shop staff",
    "in the app",
    "for large orders",
    "on slow connections",
    "in the night batch",
    "for the Galway shop",
    "with a screen reader",
    "for pre-orders",
    "in Safari",
)
SUBTASKS: Final = (
    "Write the migration",
    "Add tests for the edge cases",
    "Update the API documentation",
    "Put it behind a feature flag",
    "Check it with a screen reader",
    "Measure before and after",
    "Translate the new texts (de, fr, pt-BR)",
    "Agree on the wording",
    "Review the design",
    "Remove the old code",
    "Add a metric and an alert",
    "Try it on the oldest supported phone",
    "Tell the support team",
    "Prepare the release note",
    "Ask two customers to try it",
)
CRITERIA: Final = (
    "It works with the keyboard alone",
    "The page stays under 200 kB",
    "An error says what to do next",
    "It is covered by an automated test",
    "Nothing is lost when the connection drops",
    "The texts exist in all four languages",
    "Support can see it in the order history",
    "It can be switched off without a release",
    "The numbers agree with the nightly report",
    "Existing orders are not changed",
    "Loading takes less than one second on 3G",
    "Prices are shown with two decimals and the currency",
)
REMARKS: Final = (
    "We tried this once in spring and stopped because nobody had time to finish it.",
    "The simplest version is good enough for a first release.",
    "Please keep the old behaviour for orders that are already paid.",
    "Customers ask for it about twice a week.",
    "It matters most in the weeks before Christmas.",
    "There is no need to touch the tills for this.",
    "Numbers are from the last full quarter.",
    "The naïve solution is fine up to 10,000 titles; beyond that we need an index.",
    "Let us measure before we change anything.",
    "This came up in three interviews, independently.",
)
LABELS: Final = (
    "quick-win",
    "tech-debt",
    "a11y",
    "needs-design",
    "customer-request",
    "q1-2026",
    "größe-m",
    "security",
)
RELEASE_NOTES: Final = (
    "Paying is now one step shorter.",
    "Search forgives small typing errors.",
    "Fixed: a voucher could be used twice.",
    "Pages load faster on old phones.",
    "Points now show up at once \u2013 even in the shop.",
    "Returns are refunded on the same day.",
)
