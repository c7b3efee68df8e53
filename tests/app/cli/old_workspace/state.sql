BEGIN TRANSACTION;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "about" VALUES('columns','[["Type", "issuetype"], ["Status", "status"], ["Priority", "priority"], ["Assignee", "assignee"], ["Reporter", "reporter"], ["Labels", "labels"], ["Components", "components"], ["Fix Version", "fixVersions"], ["Sprint", "customfield_10020"], ["Story Points", "customfield_10016"]]');
INSERT INTO "about" VALUES('fields','[{"id": "issuekey", "name": "Key", "custom": false, "schema_type": "", "items": ""}, {"id": "thumbnail", "name": "Images", "custom": false, "schema_type": "", "items": ""}, {"id": "summary", "name": "Summary", "custom": false, "schema_type": "string", "items": ""}, {"id": "issuetype", "name": "Issue Type", "custom": false, "schema_type": "issuetype", "items": ""}, {"id": "project", "name": "Project", "custom": false, "schema_type": "project", "items": ""}, {"id": "parent", "name": "Parent", "custom": false, "schema_type": "issuelink", "items": ""}, {"id": "status", "name": "Status", "custom": false, "schema_type": "status", "items": ""}, {"id": "statuscategorychangedate", "name": "Status Category Changed", "custom": false, "schema_type": "datetime", "items": ""}, {"id": "resolution", "name": "Resolution", "custom": false, "schema_type": "resolution", "items": ""}, {"id": "resolutiondate", "name": "Resolved", "custom": false, "schema_type": "datetime", "items": ""}, {"id": "priority", "name": "Priority", "custom": false, "schema_type": "priority", "items": ""}, {"id": "labels", "name": "Labels", "custom": false, "schema_type": "array", "items": "string"}, {"id": "components", "name": "Components", "custom": false, "schema_type": "array", "items": "component"}, {"id": "fixVersions", "name": "Fix versions", "custom": false, "schema_type": "array", "items": "version"}, {"id": "versions", "name": "Affects versions", "custom": false, "schema_type": "array", "items": "version"}, {"id": "assignee", "name": "Assignee", "custom": false, "schema_type": "user", "items": ""}, {"id": "reporter", "name": "Reporter", "custom": false, "schema_type": "user", "items": ""}, {"id": "creator", "name": "Creator", "custom": false, "schema_type": "user", "items": ""}, {"id": "created", "name": "Created", "custom": false, "schema_type": "datetime", "items": ""}, {"id": "updated", "name": "Updated", "custom": false, "schema_type": "datetime", "items": ""}, {"id": "duedate", "name": "Due date", "custom": false, "schema_type": "date", "items": ""}, {"id": "lastViewed", "name": "Last Viewed", "custom": false, "schema_type": "datetime", "items": ""}, {"id": "description", "name": "Description", "custom": false, "schema_type": "string", "items": ""}, {"id": "environment", "name": "Environment", "custom": false, "schema_type": "string", "items": ""}, {"id": "subtasks", "name": "Sub-tasks", "custom": false, "schema_type": "array", "items": "issuelinks"}, {"id": "issuelinks", "name": "Linked Issues", "custom": false, "schema_type": "array", "items": "issuelinks"}, {"id": "votes", "name": "Votes", "custom": false, "schema_type": "votes", "items": ""}, {"id": "watches", "name": "Watchers", "custom": false, "schema_type": "watches", "items": ""}, {"id": "timeestimate", "name": "Remaining Estimate", "custom": false, "schema_type": "number", "items": ""}, {"id": "timespent", "name": "Time Spent", "custom": false, "schema_type": "number", "items": ""}, {"id": "workratio", "name": "Work Ratio", "custom": false, "schema_type": "number", "items": ""}, {"id": "security", "name": "Security Level", "custom": false, "schema_type": "securitylevel", "items": ""}, {"id": "progress", "name": "Progress", "custom": false, "schema_type": "progress", "items": ""}, {"id": "attachment", "name": "Attachment", "custom": false, "schema_type": "array", "items": "attachment"}, {"id": "comment", "name": "Comment", "custom": false, "schema_type": "comments-page", "items": ""}, {"id": "worklog", "name": "Log Work", "custom": false, "schema_type": "array", "items": "worklog"}, {"id": "customfield_10016", "name": "Story Points", "custom": true, "schema_type": "number", "items": ""}, {"id": "customfield_10019", "name": "Rank", "custom": true, "schema_type": "any", "items": ""}, {"id": "customfield_10020", "name": "Sprint", "custom": true, "schema_type": "array", "items": "json"}, {"id": "customfield_10031", "name": "Platform", "custom": true, "schema_type": "option", "items": ""}, {"id": "customfield_10032", "name": "Release Note", "custom": true, "schema_type": "string", "items": ""}, {"id": "customfield_10033", "name": "Reviewer", "custom": true, "schema_type": "user", "items": ""}]');
INSERT INTO "about" VALUES('fields at','1795679887.312804');
INSERT INTO "about" VALUES('site','http://127.0.0.1');
CREATE TABLE conflict (
        head TEXT PRIMARY KEY,  -- the same ID
        key TEXT NOT NULL,      -- of the ticket
        path TEXT NOT NULL,     -- of its file
        text TEXT NOT NULL,     -- the ticket as Jira has it, as a file would hold it
        issues TEXT NOT NULL,   -- JSON: what the state is to know of its issues once it is settled
        parts TEXT NOT NULL     -- JSON: what clashes, in words
    ) WITHOUT ROWID;
CREATE TABLE intended (
        head TEXT NOT NULL,     -- the same ID
        text TEXT NOT NULL,     -- about to be written, by a pull that may have been killed then
        PRIMARY KEY (head, text)
    ) WITHOUT ROWID;
CREATE TABLE issue (
        id TEXT PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        head TEXT NOT NULL,     -- ID of the issue whose ticket it stands in; its own or its parent's
        updated TEXT NOT NULL,  -- Jira's own words for its last change
        fields TEXT NOT NULL,   -- JSON of what was pulled, the description's ADF to the letter
        seen REAL NOT NULL,     -- Jira's clock when the pull that last confirmed it began
        stale INTEGER NOT NULL DEFAULT 0 -- 1: Jira has moved on, the file was kept
    ) WITHOUT ROWID;
INSERT INTO "issue" VALUES('10001','DEMO-1','10001','2025-09-19T20:49:24.093+0530','{"summary": "Search that forgives typing errors", "issuetype": {"id": "10000", "name": "Epic", "subtask": false}, "status": {"id": "10000", "name": "To Do"}, "priority": {"id": "4", "name": "Low"}, "labels": ["search"], "components": [{"id": "10000", "name": "Shop front"}], "fixVersions": [], "reporter": {"displayName": "\u9648\u7f8e\u73b2", "accountId": "712020:3b4c5d6e-7f80-4192-a3b4-000000000005"}, "updated": "2025-09-19T20:49:24.093+0530", "description": {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Goal: ", "marks": [{"type": "strong"}]}, {"type": "text", "text": "People who half remember a title should still find their book."}]}, {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "Where we are"}]}, {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Seven searches in a hundred find nothing at all."}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "A full rebuild takes 38 minutes at night."}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Most people look at the first five results and no further."}]}]}]}, {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "Notes"}]}, {"type": "paragraph", "content": [{"type": "text", "text": "This came up in three interviews, independently."}]}]}, "subtasks": []}',1795679887.0,0);
INSERT INTO "issue" VALUES('10002','DEMO-2','10002','2025-09-10T03:21:08.959+0530','{"summary": "Delete search logs after 90 days", "issuetype": {"id": "10002", "name": "Task", "subtask": false}, "parent": {"id": "10001", "key": "DEMO-1"}, "status": {"id": "10003", "name": "Done"}, "priority": {"id": "4", "name": "Low"}, "labels": ["search"], "components": [{"id": "10000", "name": "Shop front"}], "fixVersions": [], "assignee": {"displayName": "Priya Raman", "accountId": "712020:1d2b3c4d-5e6f-4a7b-8c9d-000000000003"}, "reporter": {"displayName": "Priya Raman", "accountId": "712020:1d2b3c4d-5e6f-4a7b-8c9d-000000000003"}, "updated": "2025-09-10T03:21:08.959+0530", "description": {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Authors'' names come in many spellings: Dostoyevsky, Dostoevskij, \u0414\u043e\u0441\u0442\u043e\u0435\u0432\u0441\u043a\u0438\u0439."}]}, {"type": "rule"}, {"type": "expand", "attrs": {"title": "Background"}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Seven searches in a hundred find nothing at all."}]}, {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "The index holds 412,000 titles in 31 languages."}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Numbers are from the last full quarter."}]}]}]}]}, {"type": "paragraph", "content": [{"type": "text", "text": "For example:"}]}, {"type": "codeBlock", "attrs": {"language": "sql"}, "content": [{"type": "text", "text": "SELECT shop, count(*)\nFROM search\nGROUP BY shop;"}]}, {"type": "panel", "attrs": {"panelType": "note"}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Keep in mind: ", "marks": [{"type": "strong"}]}, {"type": "text", "text": "Most people look at the first five results and no further."}]}]}, {"type": "heading", "attrs": {"level": 3}, "content": [{"type": "text", "text": "Acceptance Criteria"}]}, {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "It works with the keyboard alone"}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Loading takes less than one second on 3G"}]}]}]}]}, "subtasks": [], "customfield_10016": 5.0, "customfield_10020": [{"id": 5, "name": "Harbour Sprint 5", "state": "closed"}, {"id": 6, "name": "Harbour Sprint 6", "state": "closed"}]}',1795679887.0,0);
INSERT INTO "issue" VALUES('10003','DEMO-3','10003','2025-09-10T16:14:15.252+0530','{"summary": "Results jump while the covers load", "issuetype": {"id": "10003", "name": "Bug", "subtask": false}, "parent": {"id": "10001", "key": "DEMO-1"}, "status": {"id": "10000", "name": "To Do"}, "priority": {"id": "2", "name": "High"}, "labels": ["gr\u00f6\u00dfe-m", "quick-win", "search"], "components": [{"id": "10000", "name": "Shop front"}], "fixVersions": [], "assignee": {"displayName": "Tom\u00e1s O\u2019Brien", "accountId": "557058:2a3b4c5d-6e7f-4081-92a3-000000000004"}, "reporter": {"displayName": "Demo User", "accountId": "712020:5b10a284-4c20-4165-b00e-de2100000001"}, "updated": "2025-09-10T16:14:15.252+0530", "description": {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Results jump while the covers load. Seen by "}, {"type": "mention", "attrs": {"id": "712020:4c5d6e7f-8091-42a3-b4c5-000000000007", "text": "@Jonas Wei\u00df", "accessLevel": ""}}, {"type": "text", "text": " and by two customers."}]}, {"type": "heading", "attrs": {"level": 3}, "content": [{"type": "text", "text": "Steps"}]}, {"type": "orderedList", "attrs": {"order": 1}, "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Open the shop in a private window"}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Put "}, {"type": "text", "text": "two different", "marks": [{"type": "em"}]}, {"type": "text", "text": " books into the basket"}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Go on until you see the page about search"}]}]}]}, {"type": "paragraph", "content": [{"type": "text", "text": "Expected:", "marks": [{"type": "strong"}]}, {"type": "text", "text": " it simply works."}, {"type": "hardBreak"}, {"type": "text", "text": "Actual:", "marks": [{"type": "strong"}]}, {"type": "text", "text": " see the title."}]}, {"type": "paragraph", "content": [{"type": "text", "text": "For example:"}]}, {"type": "codeBlock", "attrs": {"language": "sql"}, "content": [{"type": "text", "text": "SELECT shop, count(*)\nFROM search\nGROUP BY shop;"}]}]}, "subtasks": [], "customfield_10020": [{"id": 7, "name": "Harbour Sprint 7", "state": "active"}]}',1795679887.0,0);
CREATE TABLE mark (value TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE media (        -- what documents call attachments; it never changes
        attachment TEXT PRIMARY KEY, -- ID of the attachment
        media TEXT NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE older (        -- values of earlier syncs, the last ones of each part
        head TEXT NOT NULL,     -- the same ID
        issue TEXT NOT NULL,    -- ID of the issue
        part TEXT NOT NULL,     -- its name, as in the table of what was sent
        digest TEXT NOT NULL,   -- of its text
        number INTEGER NOT NULL, -- orders the values of a part
        PRIMARY KEY (issue, part, digest)
    ) WITHOUT ROWID;
CREATE TABLE outbox (       -- requests that Jira must not carry out twice
        kind TEXT NOT NULL,     -- issue, comment or upload
        issue TEXT NOT NULL,    -- ID of the issue it belongs to; empty for a new issue
        marker TEXT NOT NULL,   -- in the issue's or comment's properties; SHA-256 of an upload
        sent REAL NOT NULL,     -- this computer's clock when it was sent; 0: Jira has finished
        payload TEXT NOT NULL,  -- JSON: the rest, by which it is found in Jira and in files
        answer TEXT NOT NULL,   -- Jira's ID for it, once that is known
        settled REAL NOT NULL,  -- this computer's clock when this workspace had it; 0 before
        PRIMARY KEY (kind, issue, marker)
    ) WITHOUT ROWID;
INSERT INTO "outbox" VALUES('issue','','690a638e88ed42dc8b10cca277d740b6',1.79567988738490438e+09,'{"project":"DEMO","parent":null,"title":"Once","path":"drafts.md","draft":"# TICKET: Once\n\n## Description\nFor all.\n","after":3,"parts":"[]","key":""}','',0.0);
CREATE TABLE sent (         -- what Jira may have taken though nobody has read it again
        head TEXT NOT NULL,     -- the same ID
        key TEXT NOT NULL,      -- of the edited issue in that ticket
        part TEXT NOT NULL,     -- the name of the field's line, or "#" and that of another part
        text TEXT NOT NULL,     -- the part as it stood here
        field TEXT NOT NULL,    -- Jira's field
        value TEXT NOT NULL,    -- JSON: what was sent for it
        PRIMARY KEY (head, key, part, text, value)
    ) WITHOUT ROWID;
CREATE TABLE ticket (
        head TEXT PRIMARY KEY,  -- the same ID
        path TEXT NOT NULL,     -- of its file, relative to the workspace
        text TEXT NOT NULL      -- as written
    ) WITHOUT ROWID;
INSERT INTO "ticket" VALUES('10001','DEMO-1.md','# TICKET: [DEMO-1] Search that forgives typing errors

## Description
**Goal:** People who half remember a title should still find their book.

## Where we are

- Seven searches in a hundred find nothing at all.
- A full rebuild takes 38 minutes at night.
- Most people look at the first five results and no further.

## Notes

This came up in three interviews, independently.

## Fields
Type: Epic
Status: To Do
Priority: Low
Reporter: 陈美玲
Labels: search
Components: Shop front
');
INSERT INTO "ticket" VALUES('10002','DEMO-2.md','# TICKET: [DEMO-2] Delete search logs after 90 days

## Description
Authors'' names come in many spellings: Dostoyevsky, Dostoevskij, Достоевский.

---

<details adf="expand">

<summary>Background</summary>

Seven searches in a hundred find nothing at all.

- The index holds 412,000 titles in 31 languages.
- Numbers are from the last full quarter.

</details>

For example:

```sql
SELECT shop, count(*)
FROM search
GROUP BY shop;
```

<aside adf="panel" params=''{"panelType":"note"}''>

**Keep in mind:** Most people look at the first five results and no further.

</aside>

## Fields
Type: Task
Status: Done
Priority: Low
Assignee: Priya Raman
Reporter: Priya Raman
Labels: search
Components: Shop front
Story Points: 5
Parent: DEMO-1

## Acceptance Criteria
- It works with the keyboard alone
- Loading takes less than one second on 3G
');
INSERT INTO "ticket" VALUES('10003','DEMO-3.md','# TICKET: [DEMO-3] Results jump while the covers load

## Description
Results jump while the covers load. Seen by <span adf="mention" params=''{"id":"712020:4c5d6e7f-8091-42a3-b4c5-000000000007"}''>@Jonas Weiß</span> and by two customers.

### Steps

1. Open the shop in a private window
2. Put *two different* books into the basket
3. Go on until you see the page about search

**Expected:** it simply works.<br>**Actual:** see the title.

For example:

```sql
SELECT shop, count(*)
FROM search
GROUP BY shop;
```

## Fields
Type: Bug
Status: To Do
Priority: High
Assignee: Tomás O’Brien
Reporter: Demo User
Labels: größe-m, quick-win, search
Components: Shop front
Sprint: Harbour Sprint 7
Parent: DEMO-1
');
CREATE TABLE undo (         -- texts that were replaced in their files, until they are taken back
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,     -- the name of what has replaced it
        done REAL NOT NULL,     -- this computer's clock then
        key TEXT NOT NULL,      -- of the ticket
        head TEXT NOT NULL,     -- the same ID
        path TEXT NOT NULL,     -- of its file
        start INTEGER NOT NULL, -- its offset in that
        before TEXT NOT NULL,   -- its text in the file, to the letter
        after TEXT NOT NULL,    -- and afterwards
        digest TEXT NOT NULL,   -- of the whole file afterwards
        aside TEXT NOT NULL,    -- the file with a copy of the text before; empty for none
        stored TEXT NOT NULL,   -- JSON: what the tables above held of the ticket before
        state_then TEXT NOT NULL -- digest of what they held afterwards
    );
CREATE INDEX issue_head ON issue (head);
COMMIT;
PRAGMA user_version = 13;
