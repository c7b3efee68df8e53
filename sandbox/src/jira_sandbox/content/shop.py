"""The work of an imaginary bookshop: the texts of the issues, by area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the shop, with the texts of its issues.

    Attributes:
        slug: The name of the area in labels, code and links.
        component: The index of the area's component in `catalogue.COMPONENTS`.
        epics: Titles of epics.
        goal: The goal of each epic.
        stories: Tuples of title, role, wish and reason.
        tasks: Titles of tasks.
        bugs: Titles of bugs.
        facts: Sentences that fit into the description of any issue of the area.
    """

    slug: str
    component: int
    epics: tuple[str, ...]
    goal: str
    stories: tuple[tuple[str, str, str, str], ...]
    tasks: tuple[str, ...]
    bugs: tuple[str, ...]
    facts: tuple[str, ...]


CHECKOUT: Final = Area(
    "checkout",
    1,
    ("Guest checkout", "One-page checkout", "Checkout that survives a bad connection"),
    "Nobody should need an account, or a second try, to buy a book.",
    (
        (
            "Pay without creating an account",
            "guest",
            "to pay with only my e-mail address",
            "I can buy a present in two minutes",
        ),
        (
            "Keep the basket for thirty days",
            "returning customer",
            "my basket to be there when I come back",
            "I need not search for the books again",
        ),
        (
            "Choose a pick-up shop on the map",
            "customer",
            "to see which shop has the book today",
            "I can collect it on my way home",
        ),
        (
            "Split an order over two addresses",
            "customer",
            "to send one parcel to my mother",
            "one payment is enough",
        ),
        (
            "Show delivery costs before the last step",
            "customer",
            "to see the full price early",
            "nothing surprises me at the end",
        ),
    ),
    (
        "Upgrade the payment provider to API version 4",
        "Remove the old three-step checkout",
        "Write a runbook for failed payments",
        "Move address validation to the server",
    ),
    (
        "Voucher is applied twice after going back",
        "Pay button stays grey when the browser fills in the form",
        "Total is one cent off with three discounted books",
        "Café in a street name is shown as CafÃ©",
        "Confirmation mail arrives before the payment is certain",
    ),
    (
        "About one order in nine is given up on the payment page.",
        "The payment provider answers within 400 ms on most days.",
        "Guests make up a third of all orders in December.",
        "A basket holds 2.3 books on average.",
        "The address form is the part that people complain about most.",
    ),
)
SEARCH: Final = Area(
    "search",
    0,
    ("Search that forgives typing errors", "Browse by mood and subject"),
    "People who half remember a title should still find their book.",
    (
        (
            "Find books despite typing errors",
            "reader",
            "to find “Oliver Twisst” all the same",
            "I need not know how it is spelled",
        ),
        (
            "Filter by language and format",
            "reader",
            "to see only paperbacks in Spanish",
            "the list is short enough to read",
        ),
        (
            "Suggest titles while typing",
            "reader",
            "to see suggestions after three letters",
            "I get there with one thumb",
        ),
        (
            "Search inside staff picks",
            "shop assistant",
            "to look through our own recommendations",
            "I can answer a customer at the desk",
        ),
        (
            "Remember my last searches",
            "reader",
            "to go back to what I looked for last week",
            "I can compare the two editions",
        ),
    ),
    (
        "Rebuild the index without downtime",
        "Measure how often a search finds nothing",
        "Add synonyms for subject headings",
        "Delete search logs after 90 days",
    ),
    (
        "Search for “C++” finds every book with a C",
        "Umlauts sort after z in the author list",
        "Results jump while the covers load",
        "ISBN with hyphens finds nothing",
        "Paging past page 50 shows the first page again",
    ),
    (
        "Seven searches in a hundred find nothing at all.",
        "The index holds 412,000 titles in 31 languages.",
        "Most people look at the first five results and no further.",
        "A full rebuild takes 38 minutes at night.",
        "Authors' names come in many spellings: Dostoyevsky, Dostoevskij, Достоевский.",
    ),
)
LOYALTY: Final = Area(
    "loyalty",
    2,
    ("Loyalty points at the till and online", "Gift cards"),
    "Regulars should feel welcome in every shop, with one card and one balance.",
    (
        (
            "Collect points in the shop",
            "regular",
            "to show a code on my phone at the till",
            "I can leave the paper card at home",
        ),
        (
            "Send a gift card by e-mail",
            "customer",
            "to choose the day on which it arrives",
            "it is there on the birthday itself",
        ),
        (
            "See when points expire",
            "regular",
            "a reminder four weeks before",
            "I can still use them",
        ),
        (
            "Pay part of an order with points",
            "regular",
            "to spend 500 points on a paperback",
            "the points are worth something",
        ),
    ),
    (
        "Import the paper cards of the Galway shop",
        "Reconcile balances every night",
        "Agree on wording with the lawyers",
        "Retire the old stamp booklet",
    ),
    (
        "Points are booked twice when the till retries",
        "Gift card with an apostrophe in the name is not printed",
        "Balance is cached for a day after a return",
        "Expired card shows a blank page",
    ),
    (
        "There are 61,400 active cards.",
        "Points are booked at night, between two and three.",
        "The tills are offline for some minutes each week.",
        "A gift card is sold every four minutes in December.",
    ),
)
WAREHOUSE: Final = Area(
    "warehouse",
    3,
    ("Returns on the same day", "Stock counts that add up"),
    "What the shelf holds and what the shop shows should be the same number.",
    (
        (
            "Scan a return with the phone",
            "warehouse clerk",
            "to scan a parcel as I open it",
            "the refund goes out the same day",
        ),
        (
            "Warn when a title runs low",
            "buyer",
            "a list of titles with less than a week's stock",
            "I can reorder in time",
        ),
        (
            "Print labels in picking order",
            "warehouse clerk",
            "labels in the order of the shelves",
            "I walk every aisle once",
        ),
        (
            "Reserve the last copy for a pick-up",
            "shop assistant",
            "a reserved copy to leave the shelf count",
            "nobody travels for nothing",
        ),
    ),
    (
        "Replace the label printer driver",
        "Archive stock movements older than seven years",
        "Write down the cycle count procedure",
        "Train the night shift on the new scanner",
    ),
    (
        "Stock goes to -1 when two tills sell the last copy",
        "Labels are cut off after 40 characters",
        "Scanner beeps but books nothing when offline",
        "Return of a signed copy is booked as new",
    ),
    (
        "The warehouse handles 1,900 parcels on a Monday.",
        "Counting one aisle takes twenty minutes.",
        "Every fourth return has no reason on it.",
        "The scanners run Android 11 and will not be replaced before summer.",
    ),
)
MOBILE: Final = Area(
    "mobile",
    4,
    ("Read aloud: audiobooks in the app", "The app on old phones"),
    "The app should be quick, quiet and useful on the train.",
    (
        (
            "Listen without a connection",
            "listener",
            "to download a chapter over Wi-Fi",
            "the tunnel does not stop the story",
        ),
        (
            "Continue on another device",
            "listener",
            "to go on where I stopped on the tablet",
            "I never hunt for the right minute",
        ),
        (
            "Scan a barcode in any shop",
            "reader",
            "to scan a book and put it on my list",
            "I remember it at the end of the month",
        ),
        (
            "Follow an author",
            "reader",
            "to hear about a new book once",
            "I get one message, and not three",
        ),
    ),
    (
        "Drop support for Android 8",
        "Measure cold start on the five most used phones",
        "Move crash reports to our own server",
        "Renew the push certificate",
    ),
    (
        "Sleep timer stops a second too late",
        "App forgets the font size after an update",
        "Download starts again from zero after a call",
        "VoiceOver reads the price before the title",
        "Dark mode shows black text on the login page",
    ),
    (
        "Half of all listeners are on a phone older than four years.",
        "Cold start takes 2.8 s in the middle, 6 s at worst.",
        "The app is rated 4.3 with 2,100 votes.",
        "Downloads are the reason named most often for leaving.",
    ),
)
ACCOUNTS: Final = Area(
    "accounts",
    2,
    ("Accounts people can trust", "Reading lists"),
    "An account should be easy to make, easy to leave, and never in the way.",
    (
        (
            "Sign in with a passkey",
            "customer",
            "to sign in with my fingerprint",
            "I have no password to forget",
        ),
        (
            "Download everything you know about me",
            "customer",
            "one file with all my data",
            "I can see what is kept",
        ),
        (
            "Share a reading list",
            "reader",
            "to send my list as a link",
            "my sister knows what to give me",
        ),
        (
            "Several readers in one household",
            "parent",
            "a list of its own for each child",
            "suggestions make sense again",
        ),
    ),
    (
        "Rotate the session keys every week",
        "Translate the account pages into Irish",
        "Delete accounts unused for five years",
        "Review who may read customer data",
    ),
    (
        "Link in the reset mail works twice",
        "Names of one letter are refused",
        "Signing out leaves the second tab signed in",
        "List with 500 books takes nine seconds to open",
    ),
    (
        "Four in ten customers have an account.",
        "Support answers 120 password mails a week.",
        "A reading list holds 14 books on average, and 2,300 at most.",
        "All data is kept within the EU.",
    ),
)
PLATFORM: Final = Area(
    "platform",
    5,
    ("Faster pages", "Calm nights for the people on call"),
    "The shop should be quick, and quiet at three in the morning.",
    (
        (
            "Serve covers in modern formats",
            "reader",
            "pages that load on the bus",
            "I do not give up half-way",
        ),
        (
            "Tell customers about trouble ourselves",
            "customer",
            "to see on one page what is broken",
            "I need not try five times",
        ),
        (
            "Export orders for the accountants",
            "accountant",
            "one file a month that adds up",
            "closing the books takes a day, not a week",
        ),
    ),
    (
        "Upgrade the database to version 17",
        "Practise restoring a backup",
        "Delete the unused staging cluster",
        "Alert on the error budget, not on single errors",
        "Write down how a release is rolled back",
        "Pin the base images by digest",
    ),
    (
        "Health check is green while the disk is full",
        "Log lines are cut at 4 kB and lose the order number",
        "Deploy fails when two people start it",
        "Cache serves the price of yesterday until noon",
        "Clock change duplicates the report of 02:30",
    ),
    (
        "The 95th percentile of the product page is 1.9 s.",
        "There were eleven alerts last month, two of them real.",
        "A release goes out twice a week.",
        "Backups are tested in the first week of each quarter.",
    ),
)

AREAS: Final = (CHECKOUT, SEARCH, LOYALTY, WAREHOUSE, MOBILE, ACCOUNTS, PLATFORM)
