import type { Claim } from '@nexus/core'
import type { FsTools } from '../tools.ts'
import { createTurns, type InTurn } from '../turns.ts'
import { createEndings, type Endings } from './ending.ts'
import { createIdentities, type Identities } from './identities.ts'
import {
  createInboxLayout,
  type HeldName,
  holderOf,
  type InboxLayout,
  inboxNames,
  type PendingName,
} from './inbox-layout.ts'
import { createLocating, type Locating } from './location.ts'
import { createNews } from './news.ts'
import { createPlaces, type Places } from './places.ts'
import { createQueue, type Queue } from './queue.ts'
import { createRecords, type Records, unlessCorrupt } from './record.ts'
import { createRegister, type Register } from './register.ts'
import { createRevival, type Revive } from './revival.ts'
import { createStaging, type Staging } from './staging.ts'
import { createTaskIds, type TaskIds } from './task-ids.ts'

/** What the verbs of the inbox share. */
export interface InboxTools extends FsTools, Locating {
  inbox: InboxLayout
  records: Records
  places: Places
  queue: Queue
  identities: Identities
  /** Which hold runs an issue. */
  running: Register
  staging: Staging
  taskIds: TaskIds
  endings: Endings
  revive: Revive
  /** Sees everything through that lies between two places, ours and what crashed processes left. */
  finishAll(): Promise<void>
  inTurn: InTurn
  /** The hold of a claim as it lies in `processing`, or null where it was lost. */
  held(claim: Claim): Promise<HeldName | null>
  /** Remembers where a claim lies, so that its verbs need no listing. */
  remember(held: HeldName): void
}

/** Whether an issue's hold still is one; while it ends it is not free yet. */
export const isHolding = async (places: Places, owner: string): Promise<boolean> => {
  const id = owner.split('.')[0]
  if ((await places.processing()).some((held) => inboxNames.hold(held) === owner)) return true
  return (await places.ending()).some((ending) => ending.id === id)
}

const createHeld = (tools: FsTools, inbox: InboxLayout, places: Places): Pick<InboxTools, 'held' | 'remember'> => {
  const known = new Map<string, HeldName>()
  const remember = (held: HeldName): void => void known.set(inboxNames.hold(held), held)
  return {
    remember,
    async held({ id, epoch, worker }) {
      const hold = inboxNames.hold({ id, epoch, holder: holderOf(worker) })
      const remembered = known.get(hold)
      if (remembered && (await tools.reading.stat(inbox.heldFile(remembered)))) return remembered
      known.delete(hold)
      const found = (await places.processing()).find((held) => inboxNames.hold(held) === hold) ?? null
      if (found) remember(found)
      return found
    },
  }
}

export const createInboxTools = (tools: FsTools): InboxTools => {
  const { atomic, reading, listing, clock } = tools
  const layout = createInboxLayout(tools.layout)
  const records = createRecords(tools, layout)
  const places = createPlaces({ layout, reading, listing, records, clock })
  const news = createNews({ ...tools, path: layout.news })
  const queue = createQueue({ layout, places, atomic, reading, clock, listing, news, now: () => performance.now() })
  const identities = createIdentities(createRegister(tools, { folder: layout.identities, temp: layout.registerTemp }))
  const running = createRegister(tools, { folder: layout.running, temp: layout.registerTemp })
  const staging = createStaging({ layout, atomic, records, places, identities, queue })
  const seeThrough = async (staged: PendingName): Promise<void> => {
    await (staged.version === 0 ? staging.finish(staged) : revive(staged))
  }
  const finishStaged = async (id: string): Promise<void> => {
    const staged = await staging.find(id)
    if (staged) await seeThrough(staged)
  }
  const locating = createLocating({ layout, reading, listing, places, queue, finishStaged })
  const revive = createRevival({ atomic, clock, inbox: layout, records, places, identities, staging, ...locating })
  const endings = createEndings({ tools, layout, records, places, identities, running, queue })
  const finishAll = async (): Promise<void> => {
    await endings.finishAll()
    for (const staged of await places.staged())
      await unlessCorrupt(
        () => seeThrough(staged),
        ({ message }) =>
          tools.logger.error('A staged task has an unreadable record', { id: staged.id, reason: message }),
      )
  }
  return {
    ...tools,
    ...locating,
    ...createHeld(tools, layout, places),
    inbox: layout,
    records,
    places,
    queue,
    identities,
    running,
    staging,
    taskIds: createTaskIds(tools, layout),
    revive,
    endings,
    finishAll,
    inTurn: createTurns(),
  }
}
