import { type Step, stepName, type WorkflowDocument } from '@nexus/engine'

export interface PromptParts {
  document: WorkflowDocument
  step: Step
  markdown: string
  issueNumber: string
}

const soFar = (document: WorkflowDocument, step: Step): string => {
  const lines = document.steps
    .filter((other) => other.step_num !== step.step_num && other.report !== null)
    .map((other) => `- ${stepName(other)} (${other.agent.name}): ${other.report?.summary ?? ''}`)
  return lines.length > 0 ? `## Reported by earlier steps\n\n${lines.join('\n')}\n\n` : ''
}

/** What the agent reads on its standard input: the step's prompt, the task, and how to report. */
export const promptFor = ({ document, step, markdown, issueNumber }: PromptParts): string => {
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

## Task (issue ${issueNumber})

${markdown.trimEnd()}

${soFar(document, step)}## How to report

When you are done, write this JSON, with a one-line summary, to the file that NEXUS_COMPLETION_FILE names,
or POST it to NEXUS_COMPLETION_URL with the header "Authorization: Bearer $NEXUS_COMPLETION_TOKEN":

${JSON.stringify(report, null, 2)}

Use "status": "blocked" and say why in the summary when a person has to decide. "next_agent" may name the role that
goes on, or "none".
`
}
