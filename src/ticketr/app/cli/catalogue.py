"""What the help, the list of commands and the manual page say of each command.

The list of commands is printed without importing a command. So what it needs is here, together with
the examples and the exit codes, which the manual page prints too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ticketr.app.cli import exits


class Entry(NamedTuple):
    """How one command is described.

    Attributes:
        summary: What it does, on one line; empty for ``ticketr`` itself.
        examples: Command lines, each with what it does.
        exits: Its exit codes, with their meanings.
        place: The module and the name of a command of ``ticketr`` itself, as ``module:name``.
    """

    summary: str
    examples: tuple[tuple[str, str], ...]
    exits: Mapping[str, str]
    place: str = ""


#: An entry for each command, by the words after ``ticketr``.
CATALOGUE: Mapping[str, Entry] = {
    "": Entry(
        "",
        (
            ("ticketr", "Open the app."),
            ("ticketr demo", "Look around, with made-up tickets."),
            ("ticketr workspace add", "Begin with a project of your own."),
            ("ticketr pull --help", "Explain a command."),
        ),
        exits.PER_TICKET,
    ),
    "alias": Entry(
        "List names for queries, or give a query a name.",
        (
            ("ticketr alias", "List all aliases."),
            ('ticketr alias bugs "type = Bug AND @mine"', "Give a query a name."),
            ("ticketr pull --jql @bugs", "Pull what it finds."),
            ("ticketr alias --remove bugs", "Take the name away again."),
        ),
        exits.LOCAL,
        "alias:alias",
    ),
    "attachments": Entry(
        "List, download and upload attachments.",
        (
            ("ticketr attachments list DEMO-9", "List them."),
            ("ticketr attachments get DEMO-9", "Download them."),
        ),
        exits.PER_TICKET,
        "attachments:attachments",
    ),
    "attachments add": Entry(
        "Attach files to an issue.",
        (("ticketr attachments add DEMO-9 shot.png log.txt", "Attach two files."),),
        exits.PER_TICKET,
    ),
    "attachments get": Entry(
        "Download the attachments of issues.",
        (("ticketr attachments get DEMO-9 DEMO-12", "Download those of two issues."),),
        exits.PER_TICKET,
    ),
    "attachments list": Entry(
        "List the attachments of issues.",
        (("ticketr attachments list DEMO-9", "List their names and sizes."),),
        exits.PER_TICKET,
    ),
    "bulk": Entry(
        "Change or delete many issues in Jira at once.",
        (
            ('ticketr bulk --jql "@sprint AND labels = web" --set Priority=High', "Set a field."),
            ("ticketr bulk DEMO-1 DEMO-2 --set Labels+=urgent", "Add a label."),
            ('ticketr bulk --jql "fixVersion = 1.0" --transition Done', "Move them to a status."),
            ("ticketr bulk DEMO-7 DEMO-8 --move DEMO-1", "Move them under an epic."),
        ),
        exits.PER_TICKET,
        "bulk:bulk",
    ),
    "completion": Entry(
        "Print the completion script of a shell.",
        (
            (
                "ticketr completion bash > ~/.local/share/bash-completion/completions/ticketr",
                "Complete commands, keys and more in bash.",
            ),
            (
                'ticketr completion zsh > "${fpath[1]}/_ticketr"',
                "The same in zsh.",
            ),
            (
                "ticketr completion fish > ~/.config/fish/completions/ticketr.fish",
                "The same in fish.",
            ),
        ),
        exits.LOCAL,
        "completion:completion",
    ),
    "demo": Entry(
        "Pull made-up tickets; no Jira account is needed.",
        (
            ("ticketr demo", "Open the app on 500 tickets."),
            ("ticketr demo -C harbour --latency 0.3", "In this folder, with a slow Jira."),
        ),
        exits.PER_TICKET,
        "demo:demo",
    ),
    "diff": Entry(
        "Show edits line by line.",
        (
            ("ticketr diff", "Show every edit."),
            ("ticketr diff DEMO-9", "Show those of one ticket."),
        ),
        exits.LOCAL,
        "diff:diff",
    ),
    "edit": Entry(
        "Open a ticket in your editor.",
        (
            ("ticketr edit DEMO-9", "Open its file, at its line."),
            ('EDITOR="code -w" ticketr edit demo-9', "With this editor."),
        ),
        exits.LOCAL,
        "edit:edit",
    ),
    "jobs": Entry(
        "List the jobs that have ended.",
        (
            ("ticketr jobs --limit 5", "List the last five."),
            ("ticketr jobs --json", "List them for a script."),
        ),
        exits.LOCAL,
        "history:jobs",
    ),
    "list": Entry(
        "List the tickets that fit a filter.",
        (
            ("ticketr list", "List every ticket."),
            ("ticketr list @amara -- -status=done", "What Amara has not done yet."),
            ("ticketr list 'status=\"in progress\" payment'", "Quotes hold what contains blanks."),
            ("ticketr list unpushed --sort updated", "What a push would send."),
        ),
        exits.LOCAL,
        "listing:list_",
    ),
    "log": Entry(
        "Record work on an issue.",
        (
            ('ticketr log DEMO-9 2h "Wrote the tests"', "Two hours that end now."),
            ('ticketr log DEMO-9 1d 4h --started "2026-03-01 09:00"', "Begun at another time."),
        ),
        exits.REMOTE,
        "log:log",
    ),
    "man": Entry(
        "Print the manual page.",
        (
            ("ticketr man | man -l -", "Read it."),
            (
                "ticketr man > ~/.local/share/man/man1/ticketr.1",
                "Install it, for 'man ticketr'.",
            ),
        ),
        exits.LOCAL,
        "man:man",
    ),
    "new": Entry(
        "Write a draft to fill in.",
        (
            ("ticketr new Pay in instalments", "Write a draft; the next push creates it."),
            ("ticketr new -t Bug --parent DEMO-1 No ISBN", "With a type, below an epic."),
        ),
        exits.LOCAL,
        "new:new",
    ),
    "open": Entry(
        "Open a ticket in your browser.",
        (
            ("ticketr open DEMO-9", "Open it."),
            ("ticketr open DEMO-9 --print", "Print the address."),
        ),
        exits.LOCAL,
        "open:open_",
    ),
    "pull": Entry(
        "Bring tickets from Jira into Markdown files.",
        (
            ("ticketr pull", "Fetch what has changed."),
            ('ticketr pull --jql "sprint in openSprints()"', "Fetch what a query finds."),
            ("ticketr pull DEMO-3 DEMO-9", "Fetch these tickets alone."),
            ("ticketr pull --every", "Fetch into every workspace."),
        ),
        exits.PER_TICKET,
        "pull:pull",
    ),
    "push": Entry(
        "Bring what you edited to Jira.",
        (
            ("ticketr push --dry-run", "Say what would be sent."),
            ("ticketr push", "Send it; in a terminal, look at it first."),
            ("ticketr push DEMO-3 DEMO-9", "Send these tickets alone."),
        ),
        exits.PER_TICKET,
        "push:push",
    ),
    "resolve": Entry(
        "Settle a conflict.",
        (
            ("ticketr resolve", "List the conflicts."),
            ("ticketr resolve DEMO-9 --take mine", "Keep your version of the conflicting parts."),
            ("ticketr resolve --all --take jira", "Take Jira's version in every conflict."),
        ),
        exits.LOCAL,
        "resolve:resolve",
    ),
    "sandbox": Entry(
        "Serve a Jira stand-in with made-up tickets.",
        (
            ("ticketr sandbox --port 8080", "Serve 500 tickets on this port."),
            ("ticketr sandbox --tickets 20 --faults all", "Serve a few, and misbehave."),
        ),
        exits.LOCAL,
        "sandbox:sandbox",
    ),
    "show": Entry(
        "Print a ticket.",
        (
            ("ticketr show DEMO-9", "Print it for reading."),
            ("ticketr show DEMO-9 --raw > copy.md", "Copy its text as it is in its file."),
        ),
        exits.LOCAL,
        "show:show",
    ),
    "schema": Entry(
        "List the fields that the project's issues can have.",
        (
            ("ticketr schema", "List the fields, with their allowed values."),
            ("ticketr schema --write", "Write them into ticketr.toml, as comments."),
        ),
        exits.REMOTE,
        "schema:schema",
    ),
    "stats": Entry(
        "Count tickets and points by status, type and assignee.",
        (
            ("ticketr stats", "Count every ticket."),
            ("ticketr stats sprint=7 --by assignee", "How much each person has in sprint 7."),
            ("ticketr stats --json", "Count them for a script."),
        ),
        exits.LOCAL,
        "stats:stats",
    ),
    "status": Entry(
        "Say what was edited here since the last sync.",
        (
            ("ticketr status", "List edits, drafts and conflicts."),
            ("ticketr status --json", "List them for a script."),
        ),
        exits.LOCAL,
        "status:status",
    ),
    "sync": Entry(
        "Pull, merge and push in one go.",
        (
            ("ticketr sync", "Bring both sides together."),
            ("ticketr sync --every --yes", "In every workspace, without a question."),
        ),
        exits.PER_TICKET,
        "push:sync",
    ),
    "undo": Entry(
        "Take back the last settling of a conflict.",
        (
            ("ticketr undo", "Take the last one back."),
            ("ticketr undo --list", "List what can be taken back."),
        ),
        exits.LOCAL,
        "undo:undo",
    ),
    "workspace": Entry(
        "Add, list, choose and check workspaces.",
        (
            ("ticketr workspace add", "Add one; this asks for what is missing."),
            ("ticketr workspace list", "List what you have added."),
        ),
        exits.REMOTE,
        "workspace:workspace",
    ),
    "workspace add": Entry(
        "Add a workspace, or log in to one again.",
        (
            ("ticketr workspace add", "Add the current folder."),
            (
                "ticketr workspace add shop -C ~/shop --site https://you.atlassian.net -p SHOP",
                "Add another, under this name.",
            ),
        ),
        exits.REMOTE,
    ),
    "workspace check": Entry(
        "Ask the site whether login and project are good.",
        (("ticketr workspace check shop", "Check one workspace."),),
        exits.REMOTE,
    ),
    "workspace list": Entry(
        "List the workspaces that you have added.",
        (("ticketr workspace list", "List them; * is the one in use."),),
        exits.LOCAL,
    ),
    "workspace remove": Entry(
        "Forget a workspace; its tickets stay.",
        (("ticketr workspace remove shop", "Forget this one, and its login."),),
        exits.LOCAL,
    ),
    "workspace trust": Entry(
        "Say that a workspace's state file is yours.",
        (("ticketr workspace trust", "Trust the one around the current folder."),),
        exits.LOCAL,
    ),
    "workspace use": Entry(
        "Choose the workspace for commands in other folders.",
        (("ticketr workspace use shop", "Use this one outside of every workspace."),),
        exits.LOCAL,
    ),
}
