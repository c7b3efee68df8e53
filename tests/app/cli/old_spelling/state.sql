BEGIN TRANSACTION;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "about" VALUES('columns','[["Type", "issuetype"], ["Status", "status"], ["Priority", "priority"], ["Assignee", "assignee"], ["Reporter", "reporter"], ["Labels", "labels"], ["Components", "components"], ["Fix Version", "fixVersions"], ["Sprint", "customfield_10020"], ["Story Points", "customfield_10016"]]');
INSERT INTO "about" VALUES('fields','[{"id": "issuekey", "name": "Key", "custom": false, "schema_type": "", "items": "", "custom_type": ""}, {"id": "thumbnail", "name": "Images", "custom": false, "schema_type": "", "items": "", "custom_type": ""}, {"id": "summary", "name": "Summary", "custom": false, "schema_type": "string", "items": "", "custom_type": ""}, {"id": "issuetype", "name": "Issue Type", "custom": false, "schema_type": "issuetype", "items": "", "custom_type": ""}, {"id": "project", "name": "Project", "custom": false, "schema_type": "project", "items": "", "custom_type": ""}, {"id": "parent", "name": "Parent", "custom": false, "schema_type": "issuelink", "items": "", "custom_type": ""}, {"id": "status", "name": "Status", "custom": false, "schema_type": "status", "items": "", "custom_type": ""}, {"id": "statuscategorychangedate", "name": "Status Category Changed", "custom": false, "schema_type": "datetime", "items": "", "custom_type": ""}, {"id": "resolution", "name": "Resolution", "custom": false, "schema_type": "resolution", "items": "", "custom_type": ""}, {"id": "resolutiondate", "name": "Resolved", "custom": false, "schema_type": "datetime", "items": "", "custom_type": ""}, {"id": "priority", "name": "Priority", "custom": false, "schema_type": "priority", "items": "", "custom_type": ""}, {"id": "labels", "name": "Labels", "custom": false, "schema_type": "array", "items": "string", "custom_type": ""}, {"id": "components", "name": "Components", "custom": false, "schema_type": "array", "items": "component", "custom_type": ""}, {"id": "fixVersions", "name": "Fix versions", "custom": false, "schema_type": "array", "items": "version", "custom_type": ""}, {"id": "versions", "name": "Affects versions", "custom": false, "schema_type": "array", "items": "version", "custom_type": ""}, {"id": "assignee", "name": "Assignee", "custom": false, "schema_type": "user", "items": "", "custom_type": ""}, {"id": "reporter", "name": "Reporter", "custom": false, "schema_type": "user", "items": "", "custom_type": ""}, {"id": "creator", "name": "Creator", "custom": false, "schema_type": "user", "items": "", "custom_type": ""}, {"id": "created", "name": "Created", "custom": false, "schema_type": "datetime", "items": "", "custom_type": ""}, {"id": "updated", "name": "Updated", "custom": false, "schema_type": "datetime", "items": "", "custom_type": ""}, {"id": "duedate", "name": "Due date", "custom": false, "schema_type": "date", "items": "", "custom_type": ""}, {"id": "lastViewed", "name": "Last Viewed", "custom": false, "schema_type": "datetime", "items": "", "custom_type": ""}, {"id": "description", "name": "Description", "custom": false, "schema_type": "string", "items": "", "custom_type": ""}, {"id": "environment", "name": "Environment", "custom": false, "schema_type": "string", "items": "", "custom_type": ""}, {"id": "subtasks", "name": "Sub-tasks", "custom": false, "schema_type": "array", "items": "issuelinks", "custom_type": ""}, {"id": "issuelinks", "name": "Linked Issues", "custom": false, "schema_type": "array", "items": "issuelinks", "custom_type": ""}, {"id": "votes", "name": "Votes", "custom": false, "schema_type": "votes", "items": "", "custom_type": ""}, {"id": "watches", "name": "Watchers", "custom": false, "schema_type": "watches", "items": "", "custom_type": ""}, {"id": "timeestimate", "name": "Remaining Estimate", "custom": false, "schema_type": "number", "items": "", "custom_type": ""}, {"id": "timeoriginalestimate", "name": "Original estimate", "custom": false, "schema_type": "number", "items": "", "custom_type": ""}, {"id": "timespent", "name": "Time Spent", "custom": false, "schema_type": "number", "items": "", "custom_type": ""}, {"id": "workratio", "name": "Work Ratio", "custom": false, "schema_type": "number", "items": "", "custom_type": ""}, {"id": "security", "name": "Security Level", "custom": false, "schema_type": "securitylevel", "items": "", "custom_type": ""}, {"id": "progress", "name": "Progress", "custom": false, "schema_type": "progress", "items": "", "custom_type": ""}, {"id": "attachment", "name": "Attachment", "custom": false, "schema_type": "array", "items": "attachment", "custom_type": ""}, {"id": "comment", "name": "Comment", "custom": false, "schema_type": "comments-page", "items": "", "custom_type": ""}, {"id": "timetracking", "name": "Time tracking", "custom": false, "schema_type": "timetracking", "items": "", "custom_type": ""}, {"id": "worklog", "name": "Log Work", "custom": false, "schema_type": "array", "items": "worklog", "custom_type": ""}, {"id": "customfield_10016", "name": "Story Points", "custom": true, "schema_type": "number", "items": "", "custom_type": "com.atlassian.jira.plugin.system.customfieldtypes:float"}, {"id": "customfield_10019", "name": "Rank", "custom": true, "schema_type": "any", "items": "", "custom_type": "com.pyxis.greenhopper.jira:gh-lexo-rank"}, {"id": "customfield_10020", "name": "Sprint", "custom": true, "schema_type": "array", "items": "json", "custom_type": "com.pyxis.greenhopper.jira:gh-sprint"}, {"id": "customfield_10031", "name": "Platform", "custom": true, "schema_type": "option", "items": "", "custom_type": "com.atlassian.jira.plugin.system.customfieldtypes:select"}, {"id": "customfield_10032", "name": "Release Note", "custom": true, "schema_type": "string", "items": "", "custom_type": "com.atlassian.jira.plugin.system.customfieldtypes:textfield"}, {"id": "customfield_10033", "name": "Reviewer", "custom": true, "schema_type": "user", "items": "", "custom_type": "com.atlassian.jira.plugin.system.customfieldtypes:userpicker"}, {"id": "customfield_10034", "name": "Ready At", "custom": true, "schema_type": "datetime", "items": "", "custom_type": "com.atlassian.jira.plugin.system.customfieldtypes:datetime"}]');
INSERT INTO "about" VALUES('fields at','1795990837.3950124');
INSERT INTO "about" VALUES('pulled','1795990837.8033948');
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
INSERT INTO "issue" VALUES('10001','DEMO-1','10001','2026-11-30T03:50:36.965+0530','{"summary": "Search that forgives typing errors", "issuetype": {"id": "10000", "name": "Epic", "subtask": false}, "status": {"id": "10000", "name": "To Do"}, "priority": {"id": "4", "name": "Low"}, "labels": ["search"], "components": [{"id": "10000", "name": "Shop front"}], "fixVersions": [], "reporter": {"displayName": "\u9648\u7f8e\u73b2", "accountId": "712020:3b4c5d6e-7f80-4192-a3b4-000000000005"}, "updated": "2026-11-30T03:50:36.965+0530", "description": {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "See "}, {"type": "text", "text": "the docs", "marks": [{"type": "link", "attrs": {"href": "https://e.com/a_b?c=d"}}]}, {"type": "text", "text": ", "}, {"type": "text", "text": "a page", "marks": [{"type": "link", "attrs": {"href": "https://e.com/x_(y)", "title": "Title"}}]}, {"type": "text", "text": " and "}, {"type": "text", "text": "a file", "marks": [{"type": "link", "attrs": {"href": "https://e.com/a b"}}]}, {"type": "text", "text": "."}]}, {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "one"}]}, {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "deep"}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "deeper"}]}, {"type": "orderedList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "first"}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "second"}]}]}]}]}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "two"}]}]}]}, {"type": "orderedList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a"}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "b"}]}]}]}, {"type": "orderedList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "c"}]}]}]}, {"type": "taskList", "attrs": {"localId": "l1"}, "content": [{"type": "taskItem", "attrs": {"localId": "i1", "state": "TODO"}, "content": [{"type": "text", "text": "do"}]}]}, {"type": "taskList", "attrs": {"localId": "l2"}, "content": [{"type": "taskItem", "attrs": {"localId": "i2", "state": "TODO"}, "content": [{"type": "text", "text": "then"}]}]}, {"type": "table", "attrs": {"isNumberColumnEnabled": false, "layout": "wide", "width": 900, "localId": "t1"}, "content": [{"type": "tableRow", "content": [{"type": "tableHeader", "attrs": {"colspan": 1, "rowspan": 1, "colwidth": [100]}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Name"}]}]}, {"type": "tableHeader", "attrs": {"colspan": 1, "rowspan": 1, "colwidth": [250]}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "snake_case_name"}]}]}]}, {"type": "tableRow", "content": [{"type": "tableCell", "attrs": {"colspan": 1, "rowspan": 1, "colwidth": [100]}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a"}]}]}, {"type": "tableCell", "attrs": {"colspan": 1, "rowspan": 1, "colwidth": [250]}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "1"}]}]}]}, {"type": "tableRow", "content": [{"type": "tableCell", "attrs": {"colspan": 1, "rowspan": 1, "colwidth": [100]}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "b"}]}]}, {"type": "tableCell", "attrs": {"colspan": 1, "rowspan": 1, "colwidth": [250]}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "2"}]}]}]}]}, {"type": "paragraph", "content": [{"type": "text", "text": "Bold", "marks": [{"type": "strong"}]}, {"type": "text", "text": "then"}, {"type": "text", "text": "italic", "marks": [{"type": "em"}]}, {"type": "text", "text": "struck", "marks": [{"type": "strike"}]}, {"type": "text", "text": " and "}, {"type": "text", "text": "bold", "marks": [{"type": "strong"}]}, {"type": "text", "text": "italic", "marks": [{"type": "em"}]}, {"type": "text", "text": "."}]}, {"type": "panel", "attrs": {"panelType": "note"}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "In MAX_RETRY_COUNT of arr[0], 3 < 4 and 2 * 3 ~ 6"}]}, {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "x"}]}, {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "y"}]}]}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "z"}]}]}]}]}, {"type": "paragraph", "content": [{"type": "text", "text": "Ends with a blank "}]}]}, "subtasks": []}',1795990837.0,0);
INSERT INTO "issue" VALUES('10002','DEMO-2','10002','2025-09-10T03:21:08.959+0530','{"summary": "Delete search logs after 90 days", "issuetype": {"id": "10002", "name": "Task", "subtask": false}, "parent": {"id": "10001", "key": "DEMO-1"}, "status": {"id": "10003", "name": "Done"}, "priority": {"id": "4", "name": "Low"}, "labels": ["search"], "components": [{"id": "10000", "name": "Shop front"}], "fixVersions": [], "assignee": {"displayName": "Priya Raman", "accountId": "712020:1d2b3c4d-5e6f-4a7b-8c9d-000000000003"}, "reporter": {"displayName": "Priya Raman", "accountId": "712020:1d2b3c4d-5e6f-4a7b-8c9d-000000000003"}, "updated": "2025-09-10T03:21:08.959+0530", "description": {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Authors'' names come in many spellings: Dostoyevsky, Dostoevskij, \u0414\u043e\u0441\u0442\u043e\u0435\u0432\u0441\u043a\u0438\u0439."}]}, {"type": "rule"}, {"type": "expand", "attrs": {"title": "Background"}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Seven searches in a hundred find nothing at all."}]}, {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "The index holds 412,000 titles in 31 languages."}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Numbers are from the last full quarter."}]}]}]}]}, {"type": "paragraph", "content": [{"type": "text", "text": "For example:"}]}, {"type": "codeBlock", "attrs": {"language": "sql"}, "content": [{"type": "text", "text": "SELECT shop, count(*)\nFROM search\nGROUP BY shop;"}]}, {"type": "panel", "attrs": {"panelType": "note"}, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Keep in mind: ", "marks": [{"type": "strong"}]}, {"type": "text", "text": "Most people look at the first five results and no further."}]}]}, {"type": "heading", "attrs": {"level": 3}, "content": [{"type": "text", "text": "Acceptance Criteria"}]}, {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "It works with the keyboard alone"}]}]}, {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Loading takes less than one second on 3G"}]}]}]}]}, "subtasks": [], "customfield_10016": 5.0, "customfield_10020": [{"id": 5, "name": "Harbour Sprint 5", "state": "closed"}, {"id": 6, "name": "Harbour Sprint 6", "state": "closed"}]}',1795990837.0,0);
CREATE TABLE mark (value TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO "mark" VALUES('08624e6f97641534ba8d5af12c006fb1a9dcfc0f2562b0540beae0d1411a3a01');
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
CREATE TABLE sent (         -- what Jira may have taken though nobody has read it again
        head TEXT NOT NULL,     -- the same ID
        key TEXT NOT NULL,      -- of the edited issue in that ticket
        part TEXT NOT NULL,     -- the name of the field's line, or "#" and that of another part
        text TEXT NOT NULL,     -- the part as it stood here
        field TEXT NOT NULL,    -- Jira's field
        value TEXT NOT NULL,    -- JSON: what was sent for it
        PRIMARY KEY (head, key, part, text, value)
    ) WITHOUT ROWID;
CREATE TABLE "sent_whole" (         -- edits that Jira may have taken though its answer never came
        head TEXT NOT NULL,     -- the same ID
        key TEXT NOT NULL,      -- of the edited issue in that ticket
        text TEXT NOT NULL,     -- that issue as it would be in Jira then, without its sub-tasks
        PRIMARY KEY (head, key, text)
    ) WITHOUT ROWID;
CREATE TABLE ticket (
        head TEXT PRIMARY KEY,  -- the same ID
        path TEXT NOT NULL,     -- of its file, relative to the workspace
        text TEXT NOT NULL      -- as written
    ) WITHOUT ROWID;
INSERT INTO "ticket" VALUES('10001','DEMO-1.md','# TICKET: [DEMO-1] Search that forgives typing errors

## Description
See [the docs](<https://e.com/a_b?c=d>), [a page](<https://e.com/x_(y)> "Title") and [a file](<https://e.com/a b>).

- one

  - deep

  - deeper

    1. first
    2. second

- two

1. a
2. b

<!-- -->

1. c

- [ ] do

<!-- -->

- [ ] then

<div adf="table" params=''{"layout":"wide","width":900,"colwidths":[100.0,250.0]}''></div>

| Name | snake\_case\_name |
| --- | --- |
| a | 1 |
| b | 2 |

**Bold**then*italic*<!-- -->~~struck~~ and **bold**<!-- -->*italic*.

> [!NOTE]
> In MAX\_RETRY\_COUNT of arr\[0\], 3 \< 4 and 2 \* 3 \~ 6
>
> - x
>
>   - y
>
> - z

Ends with a blank&#32;

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

<details>
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

> [!NOTE]
> **Keep in mind:** Most people look at the first five results and no further.

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
