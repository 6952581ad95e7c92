import type { InboxTools } from './inbox-tools.ts'
import { type TaskRecord, unlessCorrupt } from './record.ts'

/** What is being processed, with this claim's own tasks. */
export interface Busy {
  held: Map<string, TaskRecord>
  load(project: string): number
  has(task: TaskRecord): boolean
}

const nameOf = ({ project, workspace, filename }: TaskRecord): string => JSON.stringify([project, workspace, filename])

export const readBusy = async ({ places, records, logger }: InboxTools): Promise<Busy> => {
  const held = new Map<string, TaskRecord>()
  for (const name of [...(await places.processing()), ...(await places.ending())]) {
    const record = await unlessCorrupt(
      () => records.load({ id: name.id, version: name.epoch - 1 }),
      ({ message }) => logger.error('A held task has an unreadable record', { id: name.id, reason: message }),
    )
    if (record) held.set(name.id, record)
  }
  const all = (): TaskRecord[] => [...held.values()]
  return {
    held,
    load: (project) => all().filter((record) => record.project === project).length,
    has: (task) => all().some((record) => record.id !== task.id && nameOf(record) === nameOf(task)),
  }
}
