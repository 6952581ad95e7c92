import { contextOf, type Step, stepName, type WorkflowDocument } from '@nexus/engine'

export interface PromptParts {
  document: WorkflowDocument
  step: Step
  markdown: string
  issueNumber: string
  /** The absolute place of its summary. Not every agent may run a command that reads a variable. */
  summaryFile: string
}

const soFar = (document: WorkflowDocument, step: Step): string => {
  const lines = document.steps
    .filter((other) => other.step_num !== step.step_num && other.report !== null)
    .map((other) => `- ${stepName(other)} (${other.agent.name}): ${other.report?.summary ?? ''}`)
  return lines.length > 0 ? `## Reported by earlier steps\n\n${lines.join('\n')}\n\n` : ''
}

const given = (step: Step): string => {
  const context = contextOf(step)
  if (Object.keys(context).length === 0) return ''
  return `## What the workflow says of this step besides\n\n${JSON.stringify(context, null, 2)}\n\n`
}

/** What the agent reads first: the step's prompt and its other members, the task, and how to report. */
export const promptFor = ({ document, step, markdown, issueNumber, summaryFile }: PromptParts): string => {
  const report = {
    issue_number: issueNumber,
    agent_type: step.agent.name,
    step_id: stepName(step),
    step_num: step.step_num,
    workflow_id: document['id'],
    attempt_id: step.attempt_id,
    status: 'complete',
    summary: '…',
  }
  return `${step.prompt_template ?? ''}

${given(step)}## Task (issue ${issueNumber})

${markdown.trimEnd()}

${soFar(document, step)}## How to report

When you are done, write this JSON, with a one-line summary, to this file (NEXUS_COMPLETION_FILE names it too):
${summaryFile}
Or POST it to NEXUS_COMPLETION_URL with the header "Authorization: Bearer $NEXUS_COMPLETION_TOKEN"; if the answer is
not 201, write the file:

${JSON.stringify(report, null, 2)}

Use "status": "blocked" and say why in the summary when a person has to decide. "next_agent" may name the role that
goes on, or "none".
`
}
