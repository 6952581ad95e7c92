import { execFileSync } from 'node:child_process'

/** An agent that reads from it goes on when a test writes to it. */
export const mkfifoSync = (path: string): void => void execFileSync('sh', ['-c', 'mkfifo "$0"', path])
