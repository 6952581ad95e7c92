import { join, resolve } from 'node:path'

/** Every path below `{root}/runs/{attempt}/`. */
export interface RunFolder {
  readonly attempt: string
  readonly folder: string
  readonly spec: string
  /** The agent's environment, with its secrets: there until its supervisor has read it. */
  readonly environment: string
  readonly prompt: string
  readonly started: string
  readonly agent: string
  /** What the agent says now, and, once that was too much, what it said before. */
  readonly output: string
  readonly olderOutput: string
  readonly exit: string
  readonly lease: string
  readonly stop: string
}

const ATTEMPT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

export function isAttempt(text: string): boolean {
  return ATTEMPT.test(text)
}

export function runsFolder(root: string): string {
  return join(resolve(root), 'runs')
}

/** The paths of one run; an attempt that could name a place outside `runs` is a programmer's error and throws. */
export function runFolder(root: string, attempt: string): RunFolder {
  if (!isAttempt(attempt)) throw new RangeError(`not an attempt id: ${JSON.stringify(attempt)}`)
  return runFolderAt(join(runsFolder(root), attempt), attempt)
}

export function runFolderAt(folder: string, attempt: string): RunFolder {
  return {
    attempt,
    folder,
    spec: join(folder, 'spec.json'),
    environment: join(folder, 'env.json'),
    prompt: join(folder, 'prompt.md'),
    started: join(folder, 'started'),
    agent: join(folder, 'agent'),
    output: join(folder, 'output.log'),
    olderOutput: join(folder, 'output.log.1'),
    exit: join(folder, 'exit.json'),
    lease: join(folder, 'lease'),
    stop: join(folder, 'stop'),
  }
}
