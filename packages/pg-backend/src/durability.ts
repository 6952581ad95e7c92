import type { Logger } from '@nexus/core'
import { createRunStatement } from './query.ts'
import type { Sessions } from './session.ts'
import { lossySettings } from './statements/server.ts'

/** A power cut is the server's part of the promise; where it is told not to keep it, the operator is told. [C-ALL-1] */
export const warnUnlessDurable = async (client: Pick<Sessions, 'query'>, logger: Logger): Promise<void> => {
  const rows = await createRunStatement(client)(lossySettings, [])
  const off = rows.map(({ name }) => name).join(', ')
  if (off !== '') logger.warn('PostgreSQL may lose acknowledged writes when its machine stops', { off })
}
