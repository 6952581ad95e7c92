import type { PendingName } from './inbox-layout.ts'
import type { Register } from './register.ts'

/**
 * Which task has an identity. The owner is written with the version of the task that took it, so that whoever finishes
 * an earlier end late cannot take the identity from a task that was requeued since.
 */
export interface Identities {
  acquire(
    key: string,
    task: PendingName,
    isLive: (id: string) => Promise<boolean>,
  ): Promise<{ status: 'acquired' } | { status: 'taken'; id: string }>
  /** The id of the owner. */
  owner(key: string): Promise<string | null>
  /** Gives it up where this version of the task, or an earlier one, has it. */
  free(key: string, task: PendingName): Promise<void>
  entries(): Promise<{ key: string; task: PendingName }[]>
}

const token = ({ id, version }: PendingName): string => `${id}.${version}`

const parse = (owner: string): PendingName => {
  const [id = '', version] = owner.split('.')
  return { id, version: Number(version) }
}

export const createIdentities = (register: Register): Identities => ({
  async acquire(key, task, isLive) {
    const isOtherLive = async (owner: string): Promise<boolean> => {
      const { id } = parse(owner)
      return id !== task.id && (await isLive(id))
    }
    const acquired = await register.acquire(key, token(task), isOtherLive)
    return acquired.status === 'taken' ? { status: 'taken', id: parse(acquired.owner).id } : acquired
  },
  async owner(key) {
    const owner = await register.owner(key)
    return owner === null ? null : parse(owner).id
  },
  async free(key, { id, version }) {
    const owner = await register.owner(key)
    if (owner === null) return
    const present = parse(owner)
    if (present.id === id && present.version <= version) await register.release(key, owner)
  },
  async entries() {
    return (await register.entries()).map(({ key, token: owner }) => ({ key, task: parse(owner) }))
  },
})
