import { stringify } from 'yaml'

export interface SampleOptions {
  project: string
  /** Of the workspace, relative to the file. */
  workspace: string
  /** What every agent runs: a preset, or a line for the shell. */
  agent: { preset: string } | { command: string }
}

/** A first `nexus.yaml`, whose comments teach the rest. It passes `check`. */
export const sampleConfig = ({ project, workspace, agent }: SampleOptions): string => {
  const inline = stringify(agent, { collectionStyle: 'flow', lineWidth: 0 }).trim()
  return `# What a Nexus host works on. After each change: nexus-host check
# All of the format: docs/workflows.md

projects:
  # A task is a markdown file in the project's inbox: .nexus/inbox/${project}/*.md
  ${project}:
    workspace: ${workspace}
    workflow: chain
    # Tasks of this project at the same time, on this host.
    concurrency: 1
    # Numbers for tasks that name no issue: WEB-1, WEB-2, …; without it 1, 2, …
    # issue_prefix: WEB-

agents:
  # A preset starts a program without a person: claude, codex, gemini or copilot. args are added to its own.
  #   developer: { preset: claude, args: [--model, opus] }
  # Or any command: a line for the shell, or a list. The prompt comes on standard input, or where {prompt} stands.
  # It runs in the workspace and sees of the host's variables only what env names.
  #   developer: { command: 'my-agent --yes', env: [MY_API_KEY], timeout_seconds: 3600 }
  #   developer: { command: [node, /srv/agents/develop.mjs, '{prompt}'] }
  developer: ${inline}
  reviewer: ${inline}

workflows:
  # Inline, or in a file: chain: ./workflows/chain.yaml
  chain:
    steps:
      - id: develop
        agent_type: developer
        prompt: Do what the task asks for, in this folder, and test it.
        # An agent that fails is started again, after 30 s, 60 s, …
        retry: { max_retries: 2, backoff: exponential, initial_delay: 30 }
        # Then it counts as hanging, and is ended.
        timeout_seconds: 3600
        # A review sends it back at most this often.
        max_iterations: 3
      - id: review
        agent_type: reviewer
        prompt: |
          Check what was done against the task. Change nothing.
          Say in your report, as "review_status", either "approved" or "changes_requested".
        timeout_seconds: 1800
        # The first route that fits decides, over the members of the report.
        routes:
          - { when: "review_status == 'changes_requested'", then: develop }
          - { default: end }
    # A person approves the result before the task is done.
    # monitoring: { require_human_merge_approval: true }

# Tasks at the same time, over all projects.
concurrency: 4

# What becomes of running agents while the database cannot be reached: keep, or stop.
# on_unreachable: keep

# An agent that failed so often in a row is left alone for so long.
# fuse: { failures: 5, cool_down_seconds: 600 }

# How long the output of a run is kept.
# runs: { keep_days: 30 }
`
}
