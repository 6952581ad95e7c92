import { existsSync } from 'node:fs'
import type { Clock } from '@nexus/core'
import { createOnce } from './durable-file.ts'
import { touch } from './file-watch.ts'
import { currentProcess } from './process-identity.ts'
import type { RunFolder } from './run-folder.ts'
import { readStarted, recordExit, recordText } from './run-records.ts'

/**
 * Asks the supervisor to end the run. Where none has started, we take its place, so that none ever will; a crash between
 * the two records leaves a run whose starter is dead, which any observer settles.
 */
export async function stopRun(paths: RunFolder, clock: Clock): Promise<void> {
  if (!existsSync(paths.spec)) return
  await createOnce(paths.stop, '')
  touch(paths.lease)
  if (await readStarted(paths.started)) return
  const at = new Date(clock.now()).toISOString()
  if (!(await createOnce(paths.started, recordText({ ...currentProcess(), startedAt: at })))) return
  const message = 'stopped before it was started'
  await recordExit(paths, { code: null, signal: null, reason: 'stopped', endedAt: at, message })
}
