import { shortHash } from '../src/layout.ts'

/** To be awaited before each step that others can notice. */
export type Step = () => Promise<void>

/** One actor's work, held at each of its steps until it is told to go on. */
interface Actor {
  /** Resolves when it stands at its next step, or is done. */
  goOn(): Promise<void>
  isDone(): boolean
}

const startActor = async (work: (step: Step) => Promise<void>): Promise<Actor> => {
  let isDone = false
  let leave = (): void => undefined
  let arrive = (): void => undefined
  const step: Step = () =>
    new Promise((resolve) => {
      leave = resolve
      arrive()
    })
  const reached = (start: () => void): Promise<void> =>
    new Promise((resolve) => {
      arrive = resolve
      start()
    })
  let ended: Promise<void> = Promise.resolve()
  await reached(() => {
    ended = work(step).finally(() => {
      isDone = true
      arrive()
    })
  })
  return { goOn: () => Promise.race([reached(() => leave()), ended]), isDone: () => isDone }
}

/** A fresh start of the same story. */
export interface Setting {
  actors: readonly ((step: Step) => Promise<void>)[]
  /** All that what comes next depends on: what lies there, and what each actor goes by. */
  fingerprint(): string
  /** Called when everybody is done or killed. */
  check(order: string, killed: number): Promise<void>
}

interface Move {
  kind: 'step' | 'kill'
  actor: number
}

const orderOf = (moves: readonly Move[]): string =>
  moves.map(({ kind, actor }) => (kind === 'kill' ? `${actor}†` : String(actor))).join(' ')

/** Moves, and the states before each of them. */
interface Path {
  moves: readonly Move[]
  states: readonly string[]
}

const startStory = async (setting: Setting) => {
  const actors: Actor[] = []
  for (const work of setting.actors) actors.push(await startActor(work))
  const killed = new Set<number>()
  return {
    killed,
    living: (): number[] => [...actors.keys()].filter((at) => !actors[at]?.isDone() && !killed.has(at)),
    state: (): string => shortHash(JSON.stringify([[...killed].sort(), setting.fingerprint()])),
    async take({ kind, actor }: Move): Promise<void> {
      if (kind === 'kill') killed.add(actor)
      else await actors[actor]?.goOn()
    },
  }
}

/**
 * Every order in which the actors' steps can come, and a kill before each step of up to `kills` of them. Where orders lead
 * to one state, what comes after it is looked at once; an order that comes back to a state of its own would have no end.
 * Resolves to the number of states.
 */
export const inEveryOrder = async (begin: () => Setting, { kills }: { kills: number }): Promise<number> => {
  const known = new Set<string>()
  const open: Path[] = [{ moves: [], states: [] }]

  const follow = async ({ moves: given, states: before }: Path): Promise<void> => {
    const [moves, states] = [[...given], [...before]]
    const setting = begin()
    const story = await startStory(setting)
    for (const move of given) await story.take(move)
    for (;;) {
      const state = story.state()
      if (states.includes(state)) throw new Error(`An order without an end: ${orderOf(moves)}`)
      if (known.has(state)) return
      known.add(state)
      states.push(state)
      const living = story.living()
      const steps = living.map((actor): Move => ({ kind: 'step', actor }))
      const deaths = story.killed.size < kills ? living.map((actor): Move => ({ kind: 'kill', actor })) : []
      const [next, ...others] = [...steps, ...deaths]
      if (!next) return setting.check(orderOf(moves), story.killed.size)
      for (const other of others) open.push({ moves: [...moves, other], states: [...states] })
      moves.push(next)
      await story.take(next)
    }
  }

  for (let path = open.pop(); path; path = open.pop()) await follow(path)
  return known.size
}
