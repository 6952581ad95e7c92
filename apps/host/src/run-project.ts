import { isAttempt, type Runner } from './runner/index.ts'
import { readSpec } from './runner/run-records.ts'

/** The project that a run of ours was started for, however long ago; null where there is no such run. */
export const readRunProject = async (runner: Pick<Runner, 'folder'>, attempt: string): Promise<string | null> => {
  if (!isAttempt(attempt)) return null
  const spec = await readSpec(runner.folder(attempt).spec)
  return spec?.env['NEXUS_PROJECT'] ?? null
}
