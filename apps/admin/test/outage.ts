import { type Backend, readConfig, StoreError } from '@nexus/core'
import { openFsBackend, openJournalFiles } from '@nexus/fs-backend'
import { openRouter } from '@nexus/router'
import { createFakes } from '@nexus/testkit'
import type { Ground } from './admin.ts'

/** The stores of a host while the database is away: what it writes goes to the journal of its root. */
export const openInOutage = ({ env }: Pick<Ground, 'env'>): Promise<Backend> => {
  const { context } = createFakes()
  const root = env['NEXUS_DIR'] ?? ''
  const away = () => Promise.reject(new StoreError({ code: 'unavailable', message: 'away' }))
  return openRouter({
    config: readConfig({
      NEXUS_STORAGE_BACKEND: 'postgres',
      NEXUS_STORAGE_DSN: 'postgresql://nobody@127.0.0.1:1/nothing',
      ...env,
    }),
    context,
    registry: { filesystem: () => openFsBackend({ root, ...context }), postgres: away },
    journal: () => openJournalFiles({ root, ...context }),
  })
}
