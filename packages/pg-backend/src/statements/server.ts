import { statement } from '../query.ts'

/** What is switched off that a commit needs to survive a power cut. */
export const lossySettings = statement<{ name: string }>(
  `SELECT name FROM pg_settings
   WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name`,
)
