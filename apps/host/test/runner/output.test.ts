import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rotateOutput } from '../../src/runner/output-log.ts'
import { createOutputReader } from '../../src/runner/output-reader.ts'
import { runFolderAt } from '../../src/runner/run-folder.ts'
import { useRuns } from './harness.ts'

const runs = useRuns()

const inFolder = async (work: (paths: ReturnType<typeof runFolderAt>) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-output-'))
  try {
    await work(runFolderAt(folder, 'a'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const readAll = async (reader: ReturnType<typeof createOutputReader>, isOver: boolean): Promise<string> => {
  const pieces: Buffer[] = []
  for await (const piece of reader.read(isOver)) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

type Deed = { write: number } | 'rotate' | 'read'

test('[RUN] whoever follows an output through rotations reads all of it, in order and once', async () => {
  const limit = 50
  const deed: fc.Arbitrary<Deed> = fc.oneof(
    fc.record({ write: fc.integer({ min: 1, max: 2 * limit }) }),
    fc.constantFrom<Deed>('rotate', 'read'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 30 }), (deeds) =>
      inFolder(async (paths) => {
        const reader = createOutputReader(paths)
        let [said, read, sinceRead, count, ticks] = ['', '', 0, 0, 0]
        const add = (bytes: number) => {
          const text = Array.from({ length: bytes }, () => String.fromCharCode(97 + (count++ % 26))).join('')
          appendFileSync(paths.output, text)
          said += text
        }
        const look = async () => {
          read += await readAll(reader, false)
          sinceRead = 0
        }
        for (const next of deeds) {
          const size = statSync(paths.output, { throwIfNoEntry: false })?.size ?? 0
          if (next === 'read') await look()
          else if (next !== 'rotate') {
            if (size + next.write <= 2 * limit) add(next.write)
          } else if (size > limit) {
            // What a reader may miss is another test's: two rotations between two reads, and a part that is left out.
            if (sinceRead > 0) await look()
            rotateOutput(paths, limit)
            sinceRead += 1
            // Outputs that grow to their limit do so in more than a tick of the file system's clock.
            ticks += 1
            utimesSync(paths.olderOutput, ticks, ticks)
          } else rotateOutput(paths, limit)
        }
        read += await readAll(reader, true)
        expect(read).toBe(said)
      }),
    ),
  )
})

test('[RUN] of an output that grew far too long between two looks the end is kept, and how much is missing', () =>
  inFolder(async (paths) => {
    writeFileSync(paths.output, `${'x'.repeat(1_000)}the end\n`)
    const reader = createOutputReader(paths)
    rotateOutput(paths, 20)
    expect(readFileSync(paths.olderOutput, 'utf8')).toBe(`[nexus: 988 bytes left out]\n${'x'.repeat(12)}the end\n`)
    appendFileSync(paths.output, 'more\n')
    expect(await readAll(reader, true)).toBe(`[nexus: 988 bytes left out]\n${'x'.repeat(12)}the end\nmore\n`)
  }))

test('[RUN] a reader that had seen a part of what was left out goes on behind the gap', () =>
  inFolder(async (paths) => {
    writeFileSync(paths.output, 'seen ')
    const reader = createOutputReader(paths)
    expect(await readAll(reader, false)).toBe('seen ')
    appendFileSync(paths.output, `${'x'.repeat(1_000)}the end\n`)
    rotateOutput(paths, 20)
    expect(await readAll(reader, true)).toBe(`[nexus: 993 bytes left out]\n${'x'.repeat(12)}the end\n`)
  }))

test('[RUN] a reader that had seen more than what was left out repeats nothing', () =>
  inFolder(async (paths) => {
    writeFileSync(paths.output, 'x'.repeat(1_000))
    const reader = createOutputReader(paths)
    await readAll(reader, false)
    appendFileSync(paths.output, 'new')
    rotateOutput(paths, 20)
    expect(await readAll(reader, true)).toBe('new')
  }))

test('[RUN] an output that cannot be put aside stays as it is', () =>
  inFolder(async (paths) => {
    writeFileSync(paths.output, 'x'.repeat(100))
    writeFileSync(`${paths.olderOutput}.tmp`, '')
    const blocked = { ...paths, olderOutput: join(paths.folder, 'no', 'such', 'folder') }
    rotateOutput(blocked, 20)
    expect(statSync(paths.output).size).toBe(100)
  }))

test('[RUN] an agent that says more and more keeps no more than four times the limit, and its last words', async () => {
  const limit = 64 * 1024
  const runner = runs.open({ outputBytes: limit, pollMs: 20 })
  const lines = 40_000
  const spec = runs.spec([
    process.execPath,
    '-e',
    `const { setTimeout: pause } = require('node:timers/promises')
     ;(async () => {
       for (let n = 1; n <= ${lines}; n += 1) {
         process.stdout.write(n + ' ' + 'x'.repeat(60) + '\\n')
         if (n % 1000 === 0) await pause(10)
       }
     })()`,
  ])
  await runner.launch(spec)
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: 0 })
  const { output, olderOutput } = runner.folder(spec.attempt)
  expect(statSync(output).size).toBeLessThanOrEqual(limit)
  // What it says while its output is copied, up to the limit, is copied as well.
  expect(statSync(olderOutput).size).toBeLessThanOrEqual(3 * limit + 40)
  const numbers = (readFileSync(olderOutput, 'utf8') + readFileSync(output, 'utf8'))
    .split('\n')
    .map((line) => Number(/^(\d+) x{60}$/.exec(line)?.[1] ?? 0))
    .filter((number) => number > 0)
  expect(numbers.at(-1)).toBe(lines)
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  expect(new Set(numbers).size).toBe(numbers.length)
})
