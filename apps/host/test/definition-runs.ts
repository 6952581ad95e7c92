import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '@nexus/core'
import type { Tier } from '@nexus/engine'

const folder = new URL('definitions/', import.meta.url)

export const definitionPath = (name: string): string => fileURLToPath(new URL(`${name}.yaml`, folder))

/** Workflows of the field, in its format: every construct of it. */
export const definitionNames = (): string[] => readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''))

export const definitionRoles = ['triage', 'designer', 'developer', 'reviewer', 'writer', 'security']

/** What an agent reports, or what a person says. */
export type Said = JsonObject | 'approve'

/** Definition, reports of each step in their order (plain ones afterwards), the launches that follow, tier. */
export type DefinitionRun = [name: string, reports: Record<string, Said[]>, launches: string, tier?: Tier]

export const definitionRuns: DefinitionRun[] = [
  ['chain', {}, 'triage develop review'],
  ['tiers', {}, 'design develop review'],
  ['tiers', {}, 'develop', 'fast-track'],
  ['review-loop', { review: [{ review_status: 'approved' }] }, 'develop review publish'],
  [
    'review-loop',
    { review: [{ review_status: 'redesign' }, { review_status: 'changes' }, { review_status: 'approved' }] },
    'develop review design develop review develop review publish',
  ],
  ['router', { triage: [{ severity: 5, parts: ['database'] }] }, 'triage design develop answer'],
  ['router', { triage: [{ severity: 4, parts: [] }] }, 'triage develop'],
  ['router', { triage: [{ severity: 1 }] }, 'triage answer'],
  ['conditions', {}, 'develop review publish'],
  [
    'conditions',
    { develop: [{ has_user_interface: true }], review: [{ verdict: 'changes' }, { verdict: 'good' }] },
    'develop document review rework review publish',
  ],
  ['parallel', {}, 'develop style publish announce archive'],
  [
    'parallel',
    { develop: [{ touches_network: true }], style: [{ verdict: 'bad' }, { verdict: 'good' }] },
    'develop security style develop style publish announce archive',
  ],
  ['retries', {}, 'fetch build check publish'],
  ['approvals', { person: ['approve', 'approve', 'approve'] }, 'plan approved build approved publish approved'],
  ['dispatch', { triage: [{ kind: 'question' }] }, 'triage answer'],
  ['dispatch', { triage: [{ kind: 'change' }] }, 'triage design develop review'],
  [
    'dispatch',
    { triage: [{ kind: 'release' }, { kind: 'question' }], verify: [{ verdict: 'broken' }] },
    'triage build verify triage answer',
  ],
  ['dispatch', { triage: [{ kind: 'release' }] }, 'triage build verify answer'],
  ['agents-decide', { triage: [{ next_agent: 'developer' }], develop: [{ next_agent: 'none' }] }, 'triage develop'],
  ['agents-decide', { review: [{ next_agent: 'designer' }, {}] }, 'triage design develop review design develop review'],
]
