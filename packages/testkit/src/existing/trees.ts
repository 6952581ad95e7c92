import { launchedAgents, summaryDocument, trackedIssues, workflowDocument, wrongSteps } from './documents.ts'
import { type EarlierValue, fileJson } from './earlier-json.ts'
import { type ExistingFile, type ExistingRecords, type ExistingTree, file } from './tree.ts'

const json = (path: string, value: EarlierValue, day = 1): ExistingFile => file(path, fileJson(value), day)

const workflowFile = (id: string, state: string, more = {}): ExistingFile =>
  json(`.nexus/workflows/${id}.json`, workflowDocument(id, state, more), 2)

const summaryFile = (project: string, issue: string, agent: string, more = {}): ExistingFile =>
  json(
    `.nexus/tasks/${project}/completions/completion_summary_${issue}.json`,
    summaryDocument(issue, agent, { step_num: 1, workflow_id: `${project}-${issue}-full`, ...more }),
    3,
  )

const markdown = (project: string) =>
  `# Feature\n\n**Project:** ${project}\n**Type:** feature\n**Task Name:** größe\n**Status:** Pending\n\nGröße ändern 日本語\n\n---\n**Source:** inbox\n`

const nobodys: readonly ExistingFile[] = [
  file('.nexus/audit/2025-03.jsonl', '{"event": "launched", "issue": "42"}\n{"event": "gr\\u00f6\\u00dfe"'),
  json('.nexus/workflow_mapping.json', { '42': 'web-42-full' }),
  json('.nexus/approval_state.json', { '42': { step_num: 2, approvers: ['ä'] } }),
  json('.nexus/host_state/launched_agents.json', { not: 'ours' }),
]

const none: ExistingRecords = { workflows: [], hostState: [], taskFiles: [], completions: [], inbox: [] }

/** Everything in its documented place, with what is not ours beside it. */
const documented: ExistingTree = {
  name: 'everything in its place',
  files: [
    ...nobodys,
    ...['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'].map((state, index) =>
      workflowFile(`web-${index}-full`, state),
    ),
    json('.nexus/state/launched_agents.json', launchedAgents()),
    json('.nexus/state/tracked_issues.json', trackedIssues()),
    json('.nexus/state/completion_comments.json', { '7': 'https://example.org/größe' }),
    json('.nexus/state/workflow_watch_subscriptions.json', {}),
    file('.nexus/tasks/web/active/feature_7.md', markdown('web'), 9),
    file('.nexus/tasks/web/closed/bug_2.md', `${markdown('web')}\n**Issue:** https://example.org/2\r\n`, 4),
    file('.nexus/tasks/api-core/active/satz.md', 'Ein Satz', 5),
    summaryFile('web', '7', 'triage'),
    summaryFile('api-core', '8', 'developer', { status: 'blocked' }),
    file('.nexus/inbox/web/task_1741338902.md', markdown('web'), 7),
    file('.nexus/inbox/web/task_1741338903.md', markdown('web'), 6),
    file('.nexus/inbox/api-core/task_1741338902.md', markdown('api-core'), 7),
  ],
  links: [],
  readable: {
    workflows: [0, 1, 2, 3, 4, 5].map((index) => `web-${index}-full`),
    hostState: ['completion_comments', 'launched_agents', 'tracked_issues', 'workflow_watch_subscriptions'],
    taskFiles: ['api-core/active/satz.md', 'web/active/feature_7.md', 'web/closed/bug_2.md'],
    completions: ['api-core/8/developer', 'web/7/triage'],
    inbox: ['api-core/task_1741338902.md', 'web/task_1741338902.md', 'web/task_1741338903.md'],
  },
  corrupt: [],
}

/** One issue number in two projects, one file name in `active` and `closed`. */
const twoProjects: ExistingTree = {
  name: 'one issue number in two projects, one name in active and closed',
  files: [
    ...nobodys,
    workflowFile('web-42-full', 'running'),
    workflowFile('api-core-42-full', 'running'),
    json('.nexus/state/launched_agents.json', launchedAgents()),
    json('.nexus/state/issue_workflow_mapping.json', { '42': 'web-42-full' }),
    file('.nexus/tasks/web/active/feature_42.md', markdown('web'), 2),
    file('.nexus/tasks/web/closed/feature_42.md', `${markdown('web')}earlier\n`, 8),
    file('.nexus/tasks/api-core/active/feature_42.md', markdown('api-core'), 3),
    summaryFile('web', '42', 'developer'),
    summaryFile('api-core', '42', 'developer'),
    file('.nexus/inbox/web/task_42.md', markdown('web'), 7),
    file('.nexus/inbox/api-core/task_42.md', markdown('api-core'), 7),
  ],
  links: [],
  readable: {
    workflows: ['api-core-42-full', 'web-42-full'],
    hostState: ['issue_workflow_mapping', 'launched_agents'],
    taskFiles: ['api-core/active/feature_42.md', 'web/active/feature_42.md', 'web/closed/feature_42.md'],
    completions: ['api-core/42/developer', 'web/42/developer'],
    inbox: ['api-core/task_42.md', 'web/task_42.md'],
  },
  corrupt: [],
}

const cut = (text: string): string => text.slice(0, Math.floor(text.length / 2))

/** Everything known to be wrong in files, beside records that are sound. */
const damaged: ExistingTree = {
  name: 'cut files, NUL characters, wrong types, unknown states',
  files: [
    ...nobodys,
    workflowFile('web-1-full', 'running'),
    workflowFile('web-2-full', 'archived'),
    workflowFile('web-3-full', 'running', wrongSteps()),
    workflowFile('web-4-full', 'running', { note: 'NUL \u0000 and half a pair \ud83d', id: 'another' }),
    file('.nexus/workflows/web-5-full.json', cut(fileJson(workflowDocument('web-5-full', 'running')))),
    file('.nexus/workflows/web-6-full.json', ''),
    file('.nexus/workflows/web-7-full.json', '[]'),
    file('.nexus/workflows/web-8-full.json', '{"id": "web-8-full", "note": "raw \u0000 NUL"}'),
    json('.nexus/state/launched_agents.json', launchedAgents()),
    json('.nexus/state/merge_queue.json', ['web#1', { pr: 2 }]),
    file('.nexus/state/poll_offset.json', '17\n'),
    file('.nexus/state/tracked_issues.json', '{"42": {"project": "web"'),
    file('.nexus/state/empty.json', ''),
    file('.nexus/tasks/web/active/feature_1.md', markdown('web'), 4),
    file('.nexus/tasks/web/active/leer.md', '', 4),
    file('.nexus/tasks/web/closed/bom.md', '\ufeff# BOM\r\n', 4),
    summaryFile('web', '64', '@developer', { key_findings: 'not a list', step_num: '2' }),
    summaryFile('web', '65', 'qa', { summary: 'NUL \u0000', issue_number: 65 }),
    file(
      '.nexus/tasks/web/completions/completion_summary_66.json',
      cut(fileJson(summaryDocument('66', 'developer'))),
      3,
    ),
    file('.nexus/tasks/web/completions/completion_summary_67.json', '', 3),
    file('.nexus/tasks/web/completions/completion_summary_68.json', '["not", "an", "object"]', 3),
    file('.nexus/inbox/web/task_1.md', markdown('web'), 4),
    file('.nexus/inbox/web/task_2.md', '', 4),
    file('.nexus/inbox/web/task_3.md', 'a NUL \u0000 inside\n', 4),
    file('.nexus/tasks/web/active/nul.md', 'a NUL \u0000 inside\n', 4),
  ],
  links: [],
  readable: {
    workflows: ['web-1-full', 'web-2-full', 'web-3-full', 'web-4-full'],
    hostState: ['launched_agents', 'merge_queue', 'poll_offset'],
    taskFiles: ['web/active/feature_1.md', 'web/active/leer.md', 'web/closed/bom.md'],
    completions: ['web/64/developer', 'web/65/qa'],
    inbox: ['web/task_1.md', 'web/task_2.md', 'web/task_3.md'],
  },
  corrupt: [
    '.nexus/workflows/web-5-full.json',
    '.nexus/workflows/web-6-full.json',
    '.nexus/workflows/web-7-full.json',
    '.nexus/workflows/web-8-full.json',
    '.nexus/state/tracked_issues.json',
    '.nexus/state/empty.json',
    '.nexus/tasks/web/active/nul.md',
    '.nexus/tasks/web/completions/completion_summary_66.json',
    '.nexus/tasks/web/completions/completion_summary_67.json',
    '.nexus/tasks/web/completions/completion_summary_68.json',
  ],
}

const app = 'workspaces/app'

/** Workspaces with a `.nexus` of their own: a summary cut in half here, an older sound one for the same issue there. */
const workspaces: ExistingTree = {
  name: 'workspaces with a .nexus of their own',
  files: [
    ...nobodys,
    workflowFile('web-42-full', 'running'),
    json('.nexus/state/launched_agents.json', launchedAgents()),
    file('.nexus/tasks/web/active/feature_42.md', markdown('web'), 4),
    file(
      '.nexus/tasks/web/completions/completion_summary_42.json',
      cut(fileJson(summaryDocument('42', 'developer'))),
      9,
    ),
    file('.nexus/inbox/web/task_42.md', markdown('web'), 4),
    json(`${app}/.nexus/tasks/web/completions/completion_summary_42.json`, summaryDocument('42', 'developer'), 2),
    json(`${app}/.nexus/workflows/web-42-full.json`, workflowDocument('web-42-full', 'paused')),
    json(`${app}/.nexus/state/launched_agents.json`, [], 2),
    file(`${app}/.nexus/tasks/web/active/feature_42.md`, 'another one', 2),
    file(`${app}/.nexus/inbox/web/task_42.md`, 'another one', 2),
    file(`${app}/src/größe.bin`, Uint8Array.of(0, 255, 10, 13, 0)),
  ],
  links: [],
  readable: {
    workflows: ['web-42-full'],
    hostState: ['launched_agents'],
    taskFiles: ['web/active/feature_42.md'],
    completions: [],
    inbox: ['web/task_42.md'],
  },
  corrupt: ['.nexus/tasks/web/completions/completion_summary_42.json'],
}

/** Some folders only; names nobody would choose, editors' leavings, folders and links where files are expected. */
const untidy: ExistingTree = {
  name: 'some folders only, odd names, other files among ours',
  files: [
    json('.nexus/state/chat:-100123.json', { offset: 5 }),
    json('.nexus/state/größe.json', { a: 'ü' }),
    file('.nexus/state/README.txt', 'not a state'),
    file('.nexus/state/launched_agents.json.bak', '{'),
    file('.nexus/state/old/tracked_issues.json', '{}'),
    file('.nexus/tasks/Größe & Co/active/Ein Name: mit allem?.md', markdown('x'), 4),
    file('.nexus/tasks/Größe & Co/active/notes.txt', 'not a task'),
    file('.nexus/tasks/Größe & Co/active/.draft.md.swp', 'editor'),
    file('.nexus/tasks/Größe & Co/active/img/plan.png', Uint8Array.of(137, 80, 78, 71, 0)),
    file('.nexus/tasks/Größe & Co/logs/agent.log', 'a log\n'),
    file('.nexus/tasks/web/completions/notes.json', '{}'),
    file('.nexus/inbox/web/bitte ändern.md', 'Ein Satz', 4),
    file('.nexus/inbox/web/task_9.md~', 'editor'),
    file('.nexus/inbox/web/later/task_10.md', 'in a folder'),
    file('elsewhere/secret.md', 'outside'),
  ],
  links: [
    ['.nexus/tasks/web/active/link.md', '../../../../elsewhere/secret.md'],
    ['.nexus/inbox/web/link.md', '../../../elsewhere/secret.md'],
    ['.nexus/state/link.json', '../../elsewhere/secret.md'],
  ],
  readable: {
    ...none,
    hostState: ['chat:-100123', 'größe'],
    taskFiles: ['Größe & Co/active/Ein Name: mit allem?.md'],
    inbox: ['web/bitte ändern.md'],
  },
  corrupt: [],
}

export const existingTrees = { documented, twoProjects, damaged, workspaces, untidy } as const
