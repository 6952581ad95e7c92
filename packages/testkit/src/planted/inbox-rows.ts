import type { InboxRow, MemoryInboxData } from '../memory/inbox-data.ts'

export const rowsOf = ({ inbox }: { inbox: MemoryInboxData }): InboxRow[] => [...inbox.rows.values()]

/** Runs `act` while one field of the rows has another value. */
export const whileChanged = async <F extends keyof InboxRow, T>(
  rows: InboxRow[],
  field: F,
  value: (row: InboxRow) => InboxRow[F],
  act: () => Promise<T>,
): Promise<T> => {
  const before = rows.map((row) => row[field])
  for (const row of rows) row[field] = value(row)
  const result = await act()
  for (const [n, row] of rows.entries()) row[field] = before[n] as InboxRow[F]
  return result
}
