import { checkName } from './names.ts'

export interface CompletionIdentity {
  project: string
  issueNumber: string
  agentType: string
  status: string
}

/** The documented key, `issue:agent:status`. [C-COMPLETION-2] */
export const dedupKey = ({ issueNumber, agentType, status }: Omit<CompletionIdentity, 'project'>): string =>
  `${issueNumber}:${agentType}:${status}`

/** The key of a record whose documented one is held by another, or an unknown, project. */
export const projectDedupKey = (identity: CompletionIdentity): string => `${identity.project}/${dedupKey(identity)}`

/** Throws `invalid` unless a completion of this identity may be created. */
export const checkCompletionNames = ({ project, issueNumber, agentType }: CompletionIdentity): void => {
  checkName('project', project)
  checkName('issueNumber', issueNumber)
  checkName('agentType', agentType)
}
