import {
  type BackendContext,
  type BackendName,
  type CallOptions,
  type Health,
  isStoreError,
  type JournalFiles,
  type Operations,
  type StoreError,
  type StoreName,
  type Stores,
} from '@nexus/core'
import { createBreaker } from './breaker.ts'
import type { Connection } from './connection.ts'
import { deferredStores } from './deferred.ts'
import { createFallbackCompletions } from './fallback-completions.ts'
import { createFallbackHostState } from './fallback-host-state.ts'
import { createJournal, type Journal } from './journal.ts'
import { createLastKnown } from './last-known.ts'
import { createOutage, unapplied } from './outage.ts'
import { createReplay, type Replayed } from './replay.ts'

/** The stores that an outage does not stop. */
export const fallbackStores: readonly StoreName[] = ['hostState', 'completions']

export interface FallbackOptions {
  name: BackendName
  connection: Connection
  /** The stores routed to it. */
  stores: readonly StoreName[]
  /** Null: none of its stores falls back. */
  files: JournalFiles | null
  context: BackendContext
  probeMs: number
}

/** So often a replay may fail for now before it is told of. */
const patientTries = 10

/** The stores of a backend that can go away, and how it is. */
export interface Fallback extends AsyncDisposable {
  stores: Stores
  health(store: StoreName, options?: CallOptions): Promise<Health>
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Null where it serves. A backend that was never reached is opened first. */
const createAsk =
  ({ reach, current }: Connection, store: StoreName) =>
  async (): Promise<string | null> => {
    try {
      const health = await (current() ?? (await reach())).health(store)
      // A store that went elsewhere says nothing of the others.
      return health.status === 'ok' || health.movedTo !== undefined ? null : health.reason
    } catch (error) {
      return textOf(error)
    }
  }

/** The two lines that an outage is told in. [C-ROUTE-15] */
const createStory = ({ name, stores, context: { logger, clock } }: FallbackOptions, journal: Journal | null) => {
  const named = (isFallback: boolean): string =>
    stores.filter((store) => fallbackStores.includes(store) === isFallback).join(', ') || 'none'
  let [stuckFor, failures]: [string | null, number] = [null, 0]
  return {
    /** It will be tried again and again, and told once: at once where waiting will not help, else when it has failed for long. */
    stuck(error: unknown): void {
      failures += 1
      const isForNow = isStoreError(error, 'unavailable') && error.movedTo === undefined && failures < patientTries
      if (!isForNow && stuckFor !== textOf(error)) {
        logger.error('The journal cannot be replayed', { reason: textOf(error), journal: journal?.place ?? null })
        stuckFor = textOf(error)
      }
    },
    entered: ({ reason, since }: { reason: string; since: number }): void =>
      logger.warn('A backend is down; what can be is written to the journal until it is back', {
        backend: name,
        journaled: journal ? named(true) : 'none',
        waiting: journal ? named(false) : stores.join(', '),
        cause: reason,
        since: new Date(since).toISOString(),
        journal: journal?.place ?? null,
      }),
    left(since: number, { replayed, conflicts }: Replayed): void {
      failures = 0
      stuckFor = null
      logger.info('A backend is in use again', {
        backend: name,
        replayed,
        conflicts,
        seconds: Math.round((clock.now() - since) / 100) / 10,
      })
    },
  }
}

type Story = ReturnType<typeof createStory>

interface RecoveryParts {
  journal: Journal | null
  story: Story
  isStopped(): boolean
}

/** What has to be done before the backend is used again. */
const createRecovery = (
  { name, connection, context: { logger, clock } }: FallbackOptions,
  { journal, story, isStopped }: RecoveryParts,
) => {
  /** Why what the journal holds can never be applied here. */
  let refusal: StoreError | null = null

  const operations = async (): Promise<Operations> => {
    const backend = await connection.reach()
    if (!backend.operations) throw new Error(`The ${name} backend remembers no operations.`)
    return backend.operations
  }
  const replay = journal
    ? createReplay({ journal, operations, logger, clock, isStopped })
    : async () => ({ replayed: 0, conflicts: 0 })

  return {
    refusal: () => refusal,
    async recover({ since }: { since: number }): Promise<boolean> {
      const replayed = await replay().catch((error: unknown) => {
        story.stuck(error)
        if (isStoreError(error) && error.movedTo !== undefined) refusal = error
        return null
      })
      if (replayed) story.left(since, replayed)
      // Others of its stores do not wait for what went elsewhere.
      return replayed !== null || refusal !== null
    },
  }
}

/** The stores of one backend behind a breaker, with a journal for those that an outage does not stop. */
export const createFallback = (options: FallbackOptions): Fallback => {
  const { connection, stores, files, context, probeMs } = options
  const { clock, ids, logger } = context
  const lastKnown = createLastKnown(clock.now)
  const journal = files && createJournal(files, { onEnd: lastKnown.take })
  const story = createStory(options, journal)
  let isClosed = false

  const recovery = createRecovery(options, { journal, story, isStopped: () => isClosed })
  const breaker = createBreaker({
    clock,
    probeMs,
    ask: createAsk(connection, stores[0] ?? 'hostState'),
    recover: recovery.recover,
    onOpen: story.entered,
  })

  if (!connection.current()) breaker.open(textOf(connection.failure()))
  const lookForJournal = async (): Promise<void> => {
    const view = await journal?.view().catch((error: unknown) => {
      logger.debug('The journal cannot be read', { reason: textOf(error) })
    })
    if (view && !recovery.refusal()) breaker.open(unapplied)
  }
  // Nobody may ask for these stores, and others wait for what a killed process left.
  void lookForJournal()

  const outage = createOutage({
    breaker,
    reach: connection.reach,
    current: connection.current,
    journal,
    refusal: recovery.refusal,
    isClosed: () => isClosed,
  })
  const deferred = deferredStores(outage)
  const tools = { outage, ids, now: clock.now, lastKnown }
  return {
    stores: journal
      ? {
          ...deferred,
          hostState: createFallbackHostState(tools),
          completions: createFallbackCompletions(tools),
        }
      : deferred,
    async health(store, options) {
      if (isClosed) return { status: 'down', reason: 'closed', since: clock.now() }
      await lookForJournal()
      await breaker.judge()
      const state = breaker.state()
      if (state.isOpen) return { status: 'down', reason: state.reason, since: state.since }
      const backend = connection.current()
      return backend ? backend.health(store, options) : { status: 'ok' }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      await breaker[Symbol.asyncDispose]()
      await connection[Symbol.asyncDispose]()
    },
  }
}
