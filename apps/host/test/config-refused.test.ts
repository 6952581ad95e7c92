import { expect, test } from 'vitest'
import { agent, good, step, useConfigFiles } from './config-files.ts'

const { refusal } = useConfigFiles()

test.each([
  [
    'an unknown agent',
    good.replace('agent: Developer', 'agent: tester'),
    'nexus.yaml:12:24: workflows.chain.steps[1].agent: there is no agent "tester". Known: triage, developer.',
  ],
  [
    'a route without a target',
    step("routes: [{ when: 'x' }]"),
    'nexus.yaml:11:52: workflows.chain.steps[0].routes[0]: "then" is needed: the id of a step or the name of a workflow.',
  ],
  [
    'a route without a condition',
    step('routes: [{ then: develop }]'),
    'nexus.yaml:11:52: workflows.chain.steps[0].routes[0]: when is needed: an expression. Or write { default: <step id> }.',
  ],
  [
    'an expression that is none',
    step("routes: [{ when: 'a = 1', then: develop }]"),
    'nexus.yaml:11:54: workflows.chain.steps[0].routes[0].when: a = 1: ',
  ],
  [
    'an expression that is a number',
    step('condition: 5'),
    'nexus.yaml:11:43: workflows.chain.steps[0].condition: an expression is needed, in quotes: "score > 3".',
  ],
  [
    'a parallel member that is nowhere',
    step('parallel: [deploy]'),
    'nexus.yaml:11:54: workflows.chain.steps[0].parallel[0]: there is no step "deploy" in this list.',
  ],
  [
    'a word of another format',
    step('parallel_with: [develop]'),
    'nexus.yaml:11:43: workflows.chain.steps[0].parallel_with: "parallel_with" is not known: write "parallel: [ids]" in',
  ],
  [
    'a name that the host uses',
    step('status: new'),
    'nexus.yaml:11:43: workflows.chain.steps[0].status: "status" is what the host itself writes of a step. Choose another name.',
  ],
  [
    'retries that are no number',
    step('retry_policy: { max_retries: many }'),
    'nexus.yaml:11:59: workflows.chain.steps[0].retry_policy.max_retries: a whole number from 0 to 1000 is needed.',
  ],
  [
    'a backoff of its own',
    step('retry_policy: { max_retries: 2, backoff: random }'),
    'nexus.yaml:11:75: workflows.chain.steps[0].retry_policy.backoff: use exponential, linear, constant.',
  ],
  [
    'two words for one thing',
    step('timeout: 5, timeout_seconds: 6'),
    'nexus.yaml:11:43: workflows.chain.steps[0].timeout: "timeout_seconds" and "timeout" mean the same. Remove one of the two.',
  ],
  [
    'an approval of what runs no agent',
    good.replace(
      'agent_type: triage',
      'agent_type: router, require_human_approval: true, routes: [{ default: develop }]',
    ),
    'nexus.yaml:11:9: workflows.chain.steps[0]: no agent runs this step, so there is nothing to approve. Put the approval on the next step.',
  ],
  [
    'a router without routes',
    good.replace('agent_type: triage', 'agent_type: router'),
    'nexus.yaml:11:9: workflows.chain.steps[0]: a router needs routes: [{ when: …, then: … }, { default: … }].',
  ],
  [
    'a step that nobody runs',
    good.replace('agent_type: triage, ', ''),
    'nexus.yaml:11:9: workflows.chain.steps[0].agent_type: an agent_type is needed: which of the agents runs this step.',
  ],
  [
    'tiers beside steps',
    good.replace('    steps:', '    full_workflow: { steps: [{ id: a, agent: triage }] }\n    steps:'),
    'nexus.yaml:10:5: workflows.chain.full_workflow: "steps" is the list of every tier. Remove it, or the lists of the tiers.',
  ],
  [
    'an empty tier',
    good.replace('    steps:', '    full_workflow: {}\n    steps:'),
    'nexus.yaml:10:5: workflows.chain.full_workflow.steps: a list of steps is needed.',
  ],
  [
    'one tier twice',
    good.replace(
      / {4}steps:[\s\S]*/,
      '    fast_track_workflow: { steps: [{ id: a, agent: triage }] }\n    fast-track_workflow: { steps: [{ id: a, agent: triage }] }\n',
    ),
    'nexus.yaml:10:5: workflows.chain.fast_track_workflow: the fast-track tier is there already, in its other spelling. Remove one.',
  ],
  [
    'a document of another kind',
    good.replace('apiVersion: nexus/v1', 'kind: Agent'),
    'nexus.yaml:8:5: workflows.chain.kind: only "Workflow" is known.',
  ],
  [
    'a misspelt member',
    step('on_sucess: develop'),
    'nexus.yaml:11:43: workflows.chain.steps[0].on_sucess: unknown member. Did you mean "on_success"?',
  ],
  [
    'an unknown step',
    step('goto: deploy'),
    'nexus.yaml:11:43: workflows.chain.steps[0].goto: there is no step "deploy", and no workflow of that name. Known: triage, develop.',
  ],
  [
    'a loop without a way out',
    step('on_success: triage'),
    'nexus.yaml:11:43: workflows.chain.steps[0].on_success: this loop (triage) never ends: no route and no condition leads out of it.',
  ],
  [
    'a tier that is none',
    good.replace('workspace: .', 'workspace: ., tiers: { bug: quick }'),
    'nexus.yaml:2:34: projects.shop.tiers.bug: use full, shortened or fast-track',
  ],
  [
    'a prefix that no issue number can have',
    good.replace('workspace: .', "workspace: ., issue_prefix: 'a/b'"),
    'nexus.yaml:2:25: projects.shop.issue_prefix: an issue number such as a/b999999999 holds a path separator.',
  ],
  [
    'a misspelt member of a project',
    good.replace('workspace: .', 'workspace: ., concurency: 2'),
    'nexus.yaml:2:25: projects.shop.concurency: unknown member. Did you mean "concurrency"?',
  ],
  [
    'a fuse that never blows',
    `${good}fuse: { failures: 0 }\n`,
    'nexus.yaml:13:9: fuse.failures: a whole number from 1 to 1000 is needed',
  ],
  ['what to do in an outage', `${good}on_unreachable: wait\n`, 'nexus.yaml:13:1: on_unreachable: use keep'],
  [
    'several documents',
    `${good}---\nmore: 1\n`,
    'nexus.yaml:13:1: one document is needed. Put what follows "---" into a file of its own.',
  ],
  [
    'a workflow that is a number',
    good.replace(/ {2}chain:[\s\S]*/, '  chain: 5\n'),
    'nexus.yaml:7:3: workflows.chain: write { steps: […] }, or ./a-file.yaml',
  ],
  [
    'a workflow file that is not there',
    good.replace(/ {2}chain:[\s\S]*/, '  chain: ./none.yaml\n'),
    'none.yaml cannot be read. Name a YAML file; its path is relative to this one.',
  ],
  ['a step twice', good.replace('id: develop', 'id: triage'), 'another step is called "triage" already'],
  ['an agent twice', good.replace('Triage:', 'Developer:'), 'another agent is called developer already'],
  [
    'a missing workspace',
    good.replace('workspace: .', 'workspace: ./nowhere'),
    'nexus.yaml:2:11: projects.shop.workspace: there is no folder',
  ],
  [
    'an unknown workflow',
    good.replace('workspace: .', 'workspace: ., workflow: other'),
    'there is no workflow "other". Known: chain.',
  ],
  ['a project key with a colon', good.replace('shop:', "'a:b':"), 'the project key holds a colon'],
  [
    'no command',
    good.replace("command: 'node agents/triage.mjs'", ''),
    'nexus.yaml:4:3: agents.Triage.command: a command is needed',
  ],
  [
    'an unknown preset',
    agent('preset: clod'),
    'nexus.yaml:4:13: agents.Triage.preset: use claude, codex, gemini, copilot, or a command of your own',
  ],
  [
    'a preset beside a command',
    agent("preset: codex, command: 'codex exec'"),
    'nexus.yaml:4:28: agents.Triage.command: a preset has a command of its own. Remove one of the two.',
  ],
  ['args of a command', agent('command: a, args: [--fast]'), 'agents.Triage.args: args belong to a preset'],
  [
    'a prompt of a preset',
    agent('preset: codex, prompt: file'),
    'agents.Triage.prompt: a preset says how its prompt comes',
  ],
  ['a prompt in some way', agent('command: a, prompt: fax'), 'agents.Triage.prompt: use stdin'],
  [
    'a prompt pasted into a line',
    agent("command: 'a -p {prompt}'"),
    'agents.Triage.command: a line for the shell gets the prompt as "$1"',
  ],
  [
    'a prompt file pasted into a line',
    agent("command: 'a -f {prompt_file}'"),
    'a line for the shell has the file in a variable: write "$NEXUS_PROMPT_FILE"',
  ],
  [
    'a line that does not use its argument',
    agent("command: 'a; ', prompt: argument"),
    'the line gets the prompt as "$1" and does not use it',
  ],
  [
    'a placeholder that nothing is put in for',
    agent("command: [a, '{prompt}'], prompt: stdin"),
    '{prompt} stands for the prompt as an argument, and "prompt: stdin" says otherwise',
  ],
  [
    'a prompt as an argument of a preset that reads it elsewhere',
    agent("preset: claude, args: ['{prompt}']"),
    'agents.Triage.args: {prompt} stands for the prompt as an argument',
  ],
  ['runs kept for less than no time', `${good}runs: { keep_days: -1 }\n`, 'runs.keep_days: a number of days is needed'],
  [
    'no agents',
    good.replace(/agents:[\s\S]*workflows/, 'workflows'),
    'agents: agents (role: { command: … }) are needed',
  ],
  [
    'more than a year',
    good.replace('timeout: 30', 'timeout: 1e12'),
    'timeout: at most a year (31536000 seconds) is possible',
  ],
  ['concurrency', `${good}concurrency: 0\n`, 'nexus.yaml:13:1: concurrency: a whole number from 1 to 1000 is needed'],
  ['a port', `${good}api: { port: 99999 }\n`, 'api.port: a port from 0 (any) to 65535 is needed'],
  ['no YAML', 'projects: [', 'nexus.yaml:1:12: not YAML'],
  ['nothing', '', 'projects, agents and workflows are needed'],
  ['a misspelt section', good.replace('projects:', 'project:'), 'nexus.yaml:1:1: project: unknown member'],
  ['an empty project', good.replace(' { workspace: . }', ''), 'nexus.yaml:2:3: projects.shop: write { workspace: … }'],
  ['a project as text', good.replace('{ workspace: . }', './shop'), 'projects.shop: write { workspace: … }'],
  [
    'an agent as text',
    good.replace("{ command: 'node agents/triage.mjs' }", 'claude -p'),
    'nexus.yaml:4:3: agents.Triage: write { command: … }',
  ],
  [
    'an empty command list',
    good.replace("'node agents/triage.mjs'", '[]'),
    'agents.Triage.command: a command is needed',
  ],
  ['steps without their name', good.replace('    steps:\n', '').replace(/ {4}apiVersion.*\n.*\n/, ''), 'steps: […]'],
  ['a step as text', good.replace(/\{ id: triage.*/, 'triage'), 'write { id: …, agent_type: …, prompt: … }'],
  ['an id that is a number', good.replace('id: triage', 'id: 1'), 'steps[0].id: an id is text: put it in quotes'],
  ['an api as a number', `${good}api: 8080\n`, 'nexus.yaml:13:1: api: write { port: … }'],
  ['an unknown alias', good.replace('{ workspace: . }', '*shop'), 'nexus.yaml:2:9: not YAML: Unresolved alias'],
])('refuses %s', async (_, text, message) => {
  expect(await refusal(text)).toContain(message)
})
