import type { Clock, Count } from '@nexus/core'
import { roleOf } from '@nexus/engine'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { HostConfig } from '../config/host-config.ts'
import { type Holds, runningAttempts } from '../loop/hold.ts'
import { conditionOf } from './readiness.ts'
import type { Storage, StorageReadings } from './storage.ts'
import type { Telemetry } from './telemetry.ts'

export interface MetricsOptions {
  config: Pick<HostConfig, 'projects' | 'agents'>
  version: string
  clock: Pick<Clock, 'now'>
  readings: StorageReadings
  fallsBack: Storage['fallsBack']
  holds: Holds
  /** Whether the process itself is measured too: once per process, since that cannot be ended. */
  withProcess: boolean
}

/** The numbers of a host, for Prometheus. */
export interface Metrics extends Telemetry {
  readonly contentType: string
  /** The exposition. What cannot be read in time is as last known. */
  text(): Promise<string>
}

/** Of the stores this is asked at most so often, however many scrape. */
const maxAgeMs = 5_000

/** Agents work for seconds to hours. */
const stepSeconds = [1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400]

/** What no configuration names: label values stay as many as there are projects and agents. */
const other = 'other'

const floorOf = (count: Count): number => (typeof count === 'number' ? count : count.atLeast)

const createInstruments = (registers: [Registry]) => ({
  inboxTasks: new Gauge({
    registers,
    name: 'nexus_inbox_tasks',
    help: 'Tasks in the inbox by status; of done and failed ones at most 10000 are counted.',
    labelNames: ['status'],
  }),
  oldestAge: new Gauge({
    registers,
    name: 'nexus_inbox_oldest_age_seconds',
    help: 'For how long the oldest pending task has been due; 0 where none is.',
  }),
  held: new Gauge({ registers, name: 'nexus_tasks_held', help: 'Tasks that this host holds now.' }),
  agents: new Gauge({ registers, name: 'nexus_agents_running', help: 'Agents of this host that are at work now.' }),
  tasks: new Counter({
    registers,
    name: 'nexus_tasks_total',
    help: 'Tasks that this host let go of, by how their work ended here.',
    labelNames: ['project', 'outcome'],
  }),
  steps: new Histogram({
    registers,
    name: 'nexus_step_seconds',
    help: 'From the launch of an agent to its answer, or to its end without one.',
    labelNames: ['agent'],
    buckets: stepSeconds,
  }),
  retries: new Counter({
    registers,
    name: 'nexus_step_retries_total',
    help: 'Launches of a step whose run before ended without an answer.',
  }),
  reports: new Counter({
    registers,
    name: 'nexus_reports_total',
    help: 'Reports of agents: answered a step, progress, stored and not counted, or refused.',
    labelNames: ['result'],
  }),
  storeUp: new Gauge({
    registers,
    name: 'nexus_store_up',
    help: 'Whether the backend of a store answers (1) or not (0).',
    labelNames: ['store', 'backend'],
  }),
  fallback: new Gauge({
    registers,
    name: 'nexus_fallback',
    help: 'Whether the journal answers in place of the backend of a store (1) or not (0).',
    labelNames: ['store'],
  }),
  journal: new Gauge({
    registers,
    name: 'nexus_journal_operations',
    help: 'Operations of an outage that are not applied yet.',
  }),
  fuse: new Gauge({
    registers,
    name: 'nexus_fuse_blown',
    help: 'Whether an agent failed so often in a row that it is not started for now (1) or not (0).',
    labelNames: ['agent'],
  }),
  scrapeErrors: new Counter({
    registers,
    name: 'nexus_scrape_errors_total',
    help: 'Times that something could not be read in time for a scrape; its last value stays.',
    labelNames: ['reading'],
  }),
  build: new Gauge({
    registers,
    name: 'nexus_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node'],
  }),
})

type Instruments = ReturnType<typeof createInstruments>

const prepare = (instruments: Instruments, { version, config }: MetricsOptions): void => {
  const { build, reports, scrapeErrors, oldestAge, fuse } = instruments
  for (const agent of config.agents.keys()) fuse.set({ agent }, 0)
  build.set({ version, node: process.versions.node }, 1)
  for (const result of ['answered', 'progress', 'not_counted', 'refused']) reports.inc({ result }, 0)
  for (const reading of ['inbox', 'stores', 'journal']) scrapeErrors.inc({ reading }, 0)
  // Nothing is said of what was never read.
  oldestAge.remove()
}

/** Brings what is read to what is known now. */
const refresh = async (instruments: Instruments, options: MetricsOptions): Promise<void> => {
  const { readings, clock, holds, fallsBack } = options
  const [inbox, stores, journal] = await Promise.all([
    readings.inbox(maxAgeMs),
    readings.stores(maxAgeMs),
    readings.journal(maxAgeMs),
  ])
  for (const [reading, { problem }] of Object.entries({ inbox, stores, journal }))
    if (problem !== null) instruments.scrapeErrors.inc({ reading })
  if (inbox.value) {
    const { counts, oldestDue } = inbox.value
    for (const [status, count] of Object.entries(counts)) instruments.inboxTasks.set({ status }, floorOf(count))
    instruments.oldestAge.set(oldestDue ? Math.max(0, clock.now() - oldestDue.getTime()) / 1000 : 0)
  }
  for (const row of stores.value ?? []) {
    const condition = conditionOf(row, { fallsBack })
    instruments.storeUp.set({ store: row.store, backend: row.backend }, condition === 'ok' ? 1 : 0)
    instruments.fallback.set({ store: row.store }, condition === 'fallback' ? 1 : 0)
  }
  if (journal.value) instruments.journal.set(journal.value[0]?.operations ?? 0)
  instruments.held.set(holds.size)
  instruments.agents.set(runningAttempts(holds).length)
}

/** Only this file knows the library. */
export const createMetrics = (options: MetricsOptions): Metrics => {
  const { config, withProcess } = options
  const registry = new Registry()
  const instruments = createInstruments([registry])
  // The delay of the event loop is sampled by a timer: a fine one would keep an idle host awake.
  if (withProcess) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  prepare(instruments, options)
  const roleIn = (agent: string): string => (config.agents.has(roleOf(agent)) ? roleOf(agent) : other)
  return {
    contentType: registry.contentType,
    taskEnded(project, outcome) {
      instruments.tasks.inc({ project: config.projects.has(project) ? project : other, outcome })
    },
    stepEnded(agent, seconds) {
      instruments.steps.observe({ agent: roleIn(agent) }, Math.max(0, seconds))
    },
    fuseChanged: (agent, isBlown) => instruments.fuse.set({ agent: roleIn(agent) }, isBlown ? 1 : 0),
    stepRetried: () => instruments.retries.inc(),
    reported: (result) => instruments.reports.inc({ result }),
    async text() {
      await refresh(instruments, options)
      return registry.metrics()
    },
  }
}
