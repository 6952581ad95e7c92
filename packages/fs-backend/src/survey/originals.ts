import { type BackendContext, type CorruptEntry, maxReportBytes, readReportText } from '@nexus/core'
import { createInboxLayout, handMadeId } from '../inbox/inbox-layout.ts'
import { handMadeSince } from '../inbox/places.ts'
import { isVisibleName, recordName, sha256 } from '../layout.ts'
import { createTools } from '../tools.ts'

/** What the files of a root say by where they lie and since when; a copy of them does not. Nothing is made or changed. */
export interface Originals {
  /** A task file that no program of ours put there, as its own root knows it; null where none is there. */
  task(project: string, filename: string): Promise<{ id: string; createdAt: Date } | null>
  /** When the issue's summary file was written; null where none is there. */
  reportedAt(project: string, issueNumber: string): Promise<Date | null>
  /** Summary files that are no reports. They stay where they are. */
  unreadableReports(): AsyncGenerator<CorruptEntry>
}

export const openOriginals = ({ root, ...context }: BackendContext & { root: string }): Originals => {
  const { layout, reading } = createTools(root, context, () => false)
  const inbox = createInboxLayout(layout)
  return {
    async task(project, filename) {
      const stat = await reading.stat(inbox.task(project, filename))
      return stat && { id: handMadeId(project, filename, stat), createdAt: new Date(handMadeSince(stat)) }
    },
    async reportedAt(project, issueNumber) {
      const stat = await reading.stat(layout.summary(project, issueNumber))
      return stat && new Date(Math.floor(stat.mtimeMs))
    },
    async *unreadableReports() {
      for (const project of (await reading.folders(layout.projects)).filter(isVisibleName))
        for (const name of await reading.files(layout.completions(project))) {
          const issueNumber = isVisibleName(name) ? recordName.summary(name) : null
          if (issueNumber === null) continue
          const place = layout.summary(project, issueNumber)
          const file = await reading.read(place, maxReportBytes)
          const reason = file && reasonOf(file.bytes, file.stat.size, issueNumber)
          if (reason) yield { name, place, reason, rev: sha256(file.bytes) }
        }
    },
  }
}

const reasonOf = (bytes: Buffer, size: number, issueNumber: string): string | null => {
  if (size > maxReportBytes) return `is ${size} bytes long; at most ${maxReportBytes} are taken`
  const read = readReportText(bytes.toString('utf8'), { issueNumber })
  return read.ok ? null : read.reason
}
