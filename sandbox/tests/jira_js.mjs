// A day's work with jira.js: prints what the site has afterwards, as JSON.
// Usage: node jira_js.mjs ADDRESS EMAIL TOKEN

import { Version3Client } from "jira.js";

const [host, email, apiToken] = process.argv.slice(2);
const jira = new Version3Client({ host, authentication: { basic: { email, apiToken } } });

function words(text) {
  const paragraph = { type: "paragraph", content: [{ type: "text", text }] };
  return { type: "doc", version: 1, content: [paragraph] };
}

const me = await jira.myself.getCurrentUser();
const made = await jira.issues.createIssue({
  fields: {
    project: { key: "DEMO" },
    issuetype: { name: "Task" },
    summary: "Made by jira.js",
    description: words("Hello"),
  },
});
const issueIdOrKey = made.key;
await jira.issues.editIssue({ issueIdOrKey, fields: { summary: "Changed", labels: ["js"] } });
const comment = await jira.issueComments.addComment({ issueIdOrKey, comment: words("Done") });
await jira.issues.assignIssue({ issueIdOrKey, accountId: me.accountId });
const { transitions } = await jira.issues.getTransitions({ issueIdOrKey });
await jira.issues.doTransition({ issueIdOrKey, transition: { id: transitions[0].id } });
await jira.issueLinks.linkIssues({
  type: { name: "Blocks" },
  inwardIssue: { key: issueIdOrKey },
  outwardIssue: { key: "DEMO-1" },
});

const wanted = ["summary", "labels", "status", "assignee", "comment", "issuelinks"];
const { fields } = await jira.issues.getIssue({ issueIdOrKey, fields: wanted });
const search = { jql: `key = ${issueIdOrKey}`, fields: ["summary"] };
const found = await jira.issueSearch.searchForIssuesUsingJqlEnhancedSearch(search);
console.log(
  JSON.stringify({
    summary: fields.summary,
    labels: fields.labels,
    status: fields.status.name,
    isMine: fields.assignee.accountId === me.accountId,
    hasComment: fields.comment.comments.map((each) => each.id === comment.id),
    links: fields.issuelinks.map((each) => each.outwardIssue.key),
    found: found.issues.map((each) => each.fields.summary),
  }),
);
