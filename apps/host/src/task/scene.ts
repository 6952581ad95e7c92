import type { Workflow } from '@nexus/core'
import type { WorkflowDocument } from '@nexus/engine'
import type { ProjectConfig } from '../config/host-config.ts'
import type { Hold } from '../loop/hold.ts'

/** One look at a workflow, and everything that belongs to it. */
export interface Scene {
  hold: Hold
  project: ProjectConfig
  issueNumber: string
  workflow: Workflow
  document: WorkflowDocument
}
