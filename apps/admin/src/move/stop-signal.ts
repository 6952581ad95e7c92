import { CommandError } from '../cli/exit.ts'

/** Work that Ctrl-C, or a request to end, stops at a place from where a repeated command goes on. */
export const interruptible = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  const names = ['SIGINT', 'SIGTERM'] as const
  for (const name of names) process.once(name, stop)
  try {
    return await work(controller.signal)
  } catch (error) {
    if (!controller.signal.aborted) throw error
    throw new CommandError('failed', 'Interrupted. Repeat the command to go on.')
  } finally {
    for (const name of names) process.removeListener(name, stop)
  }
}
