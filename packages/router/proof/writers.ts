import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { rawSql } from '../../pg-backend/raw-sql.config.ts'
import type { Acknowledged } from './world.ts'

/** Makes the writer one that Node runs, from the sources as they are. Gives its path. */
export const buildWriter = async (): Promise<string> => {
  const outDir = fileURLToPath(new URL('../node_modules/.cache/programs/', import.meta.url))
  await build({
    entry: { 'outage-writer': fileURLToPath(new URL('programs/outage-writer.ts', import.meta.url)) },
    outDir,
    format: 'esm',
    target: 'node20.19',
    removeNodeProtocol: false,
    config: false,
    silent: true,
    external: ['pg', /^@prisma\//],
    noExternal: [/^@nexus\//, 'zod'],
    esbuildPlugins: [rawSql],
    esbuildOptions(options) {
      options.conditions = ['nexus-source']
    },
  })
  return `${outDir}outage-writer.js`
}

export interface WriterPlace {
  program: string
  dsn: string
  root: string
  name: string
  bug: string
}

/** A process that writes until it is killed or told to end. */
export interface Writer {
  readonly acknowledged: readonly Acknowledged[]
  readonly refused: number
  ready: Promise<void>
  /** Resolves when it has said so many more, or has ended. */
  more(count: number): Promise<void>
  /** Has it end when nothing of an outage is left. */
  end(): Promise<void>
  kill(): Promise<void>
}

const listenTo = (child: ChildProcess) => {
  const acknowledged: Acknowledged[] = []
  let [refused, isDone] = [0, false]
  const waiting = new Set<() => void>()
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  lines.on('line', (line) => {
    const [word = '', marker = '', key = ''] = line.split(' ')
    if (word === 'ACK') acknowledged.push({ marker, key })
    if (word === 'REFUSED') refused += 1
    if (word === 'DONE') isDone = true
    for (const look of [...waiting]) look()
  })
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]).then(() => {
    for (const look of [...waiting]) look()
  })
  const until = (isThere: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isThere() && child.exitCode === null && child.signalCode === null) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return {
    acknowledged,
    ended,
    until,
    refused: () => refused,
    isDone: () => isDone,
    said: () => acknowledged.length + refused,
  }
}

export const startWriter = ({ program, dsn, root, name, bug }: WriterPlace): Writer => {
  const child = spawn(process.execPath, [program, dsn, root, name, bug], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => undefined)
  const heard = listenTo(child)
  return {
    acknowledged: heard.acknowledged,
    get refused() {
      return heard.refused()
    },
    ready: heard.until(() => heard.said() > 0),
    more(count) {
      const wanted = heard.said() + count
      return heard.until(() => heard.said() >= wanted)
    },
    async end() {
      child.stdin.write('end\n')
      await heard.ended
      if (!heard.isDone() || child.exitCode !== 0) throw new Error(`The writer ${name} ended with ${child.exitCode}.`)
    },
    async kill() {
      child.kill('SIGKILL')
      await heard.ended
    },
  }
}
