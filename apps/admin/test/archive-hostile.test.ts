import { appendFileSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { openSource } from '../src/archive/source.ts'
import { type Ground, grounds } from './admin.ts'
import { archiveOf, header, stateLine, taskFileLine, taskLine } from './archive-lines.ts'

/** The import is refused with this reason, and neither a record nor a file has come of it. */
const expectRefused = async (
  { admin, env, folder }: Ground,
  bytes: string | Buffer,
  reason: RegExp,
  args: string[] = [],
) => {
  const own = mkdtempSync(join(tmpdir(), 'nexus-hostile-'))
  writeFileSync(join(own, 'a'), bytes)
  const before = readdirSync(folder, { recursive: true })
  const { status, stdout, stderr } = await admin(['import', join(own, 'a'), '--yes', ...args], {
    env: { TMPDIR: own },
  })
  expect({ status, stdout }, stderr).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(reason)
  expect(stderr).not.toMatch(/\n {4}at /)
  expect(readdirSync(own)).toEqual(['a'])
  rmSync(own, { recursive: true })
  expect(readdirSync(folder, { recursive: true })).toEqual(before)
  expect((await admin(['state', 'ls'], { env })).stdout).toBe('No keys.\n')
}

const good = [stateLine('a'), stateLine('b'), taskFileLine('shop', 'a.md')]
const lines = archiveOf(good).split(/(?<=\n)/)
const swapped = [lines[0], lines[2], lines[1], ...lines.slice(3)].join('')

test('the archive that is spoiled below is taken as it is', async () => {
  await using ground = await grounds.files()
  expect(await ground.admin(['import', '--yes'], { input: archiveOf(good) })).toMatchObject({ status: 0 })
  expect((await ground.admin(['state', 'ls'])).stdout).toMatch(/^a\nb$/m)
})

const spoiled: readonly (readonly [what: string, bytes: string | Buffer, reason: RegExp])[] = [
  ['an empty file', '', /^Line 1 of the archive is missing/m],
  ['another file', 'hello\n', /^Line 1 of the archive is not JSON/m],
  ['binary', Buffer.from([0xff, 0xfe, 0x00, 0x0a]), /^Line 1 of the archive is not UTF-8/m],
  ['another format', archiveOf(good, { head: header({ format: 'tar' }) }), /^Line 1 .* does not begin an archive/m],
  ['a version of the future', archiveOf(good, { head: header({ version: 2 }) }), /^Line 1 .* is of version 2/m],
  [
    'an unknown store',
    archiveOf(good, { head: header({ stores: ['secrets'] }) }),
    /^Line 1 .* does not fit: stores\.0/m,
  ],
  [
    'a store twice',
    archiveOf(good, { head: header({ stores: ['inbox', 'inbox'] }) }),
    /^Line 1 .*names a store twice/m,
  ],
  ['a member more in the header', archiveOf(good, { head: header({ more: 1 }) }), /^Line 1 .*Unrecognized key/m],
  [
    'a store that the header does not name',
    archiveOf(good, { head: header({ stores: ['hostState'] }) }),
    /^Line 4 of the archive is of the store taskFiles/m,
  ],
  ['a member more', archiveOf([stateLine('a', { root: 1 })]), /^Line 2 .* has a member "root" too many/m],
  ['a member less', archiveOf([{ store: 'hostState', record: { key: 'a', data: '1' } }]), /^Line 2 .* updatedAt/m],
  ['a time that is none', archiveOf([stateLine('a', { updatedAt: 'soon' })]), /^Line 2 .* updatedAt/m],
  ['a document that is no JSON', archiveOf([stateLine('a', { data: '{' })]), /^Line 2 .* data is not JSON/m],
  ['a line of another kind', archiveOf([{ run: 'rm' }]), /^Line 2 of the archive does not fit/m],
  [
    'a document that is too deep',
    archiveOf([stateLine('a', { data: '['.repeat(5_000) + ']'.repeat(5_000) })]),
    /^Line 2 .* data /m,
  ],
  ['a line that is too deep', `${lines[0]}{"store":${'['.repeat(500_000)}\n`, /^Line 2 of the archive is /m],
  [
    'a member named __proto__',
    archiveOf(good).replace('"data":"1"', '"__proto__":{},"data":"1"'),
    /^Line 2 .* too many/m,
  ],
  ['NUL in a name', archiveOf([stateLine('a\0b')]), /^Line 2 .* key holds U\+0000/m],
  [
    'a name that leads up',
    archiveOf([taskFileLine('../x', 'a.md')]),
    /^Line 2 .* holds the name "\.\.\/x".*leads out/m,
  ],
  ['a file name that leads up', archiveOf([taskFileLine('shop', '../../a.md')]), /^Line 2 .* leads out of its folder/m],
  [
    'a task id that leads up',
    archiveOf([taskLine({ id: '../../x' })], { head: header({ stores: ['inbox'] }) }),
    /^Line 2 .* holds the task id "\.\.\/\.\.\/x", which leads out of its folder/m,
  ],
  [
    'a hold with a member more',
    archiveOf([taskLine({ hold: { worker: 'w', leaseMs: 1, bound: false, root: 1 } })], {
      head: header({ stores: ['inbox'] }),
    }),
    /^Line 2 .* hold has a member too many/m,
  ],
  ['a name from the top', archiveOf([stateLine('/etc/passwd')]), /^Line 2 .* leads out of its folder/m],
  ['a name of a folder', archiveOf([taskFileLine('.', 'a.md')]), /^Line 2 .* leads out of its folder/m],
  [
    'a record twice',
    archiveOf([...good, stateLine('a', { data: '2' })]),
    /^Line 5 .* has the key "a" of hostState a second time/m,
  ],
  ['swapped lines', swapped, /^Line 5 of the archive has another checksum/m],
  ['a changed record', archiveOf(good).replace('"data":"1"', '"data":"2"'), /^Line 5 .* another checksum/m],
  ['a wrong checksum', archiveOf(good, { trailer: { sha256: '0'.repeat(64) } }), /^Line 5 .* another checksum/m],
  ['a huge count', archiveOf(good, { trailer: { records: 2 ** 52 } }), /^Line 5 .* counts 4503599627370496 records/m],
  ['a count beyond numbers', archiveOf(good, { trailer: { records: 1e300 } }), /^Line 5 of the archive does not fit/m],
  [
    'a wrong count of a store',
    archiveOf(good, { trailer: { stores: { hostState: 3, taskFiles: 0 } } }),
    /^Line 5 .* counts 3 records of hostState, and 2 stand before it/m,
  ],
  ['something behind the end', `${archiveOf(good)}{}\n`, /^Line 6 of the archive stands behind the end/m],
  [
    'no checksum for too long',
    archiveOf(Array.from({ length: 1_001 }, (_, i) => stateLine(`k${i}`))),
    /^Line 1002 .* the checksum of 1000 records must be/m,
  ],
  ['a packed file that is cut', gzipSync(archiveOf(good)).subarray(0, -9), /cannot be unpacked \(Z_BUF_ERROR\)/],
  [
    'a packed file that is damaged',
    Buffer.concat([gzipSync('x').subarray(0, 10), Buffer.alloc(40, 7)]),
    /cannot be unpacked|is missing|is cut/,
  ],
  ['a line of 100 MB', Buffer.alloc(100_000_000, 'a'), /^Line 1 of the archive is longer than 67108864 bytes/m],
  ['a bomb', gzipSync(Buffer.alloc(150_000_000, '{}\n')), /The archive unpacks to|^Line 1 /m],
]

test.each(spoiled)('%s is refused, and leaves nothing behind', async (_, bytes, reason) => {
  await using ground = await grounds.files()
  await expectRefused(ground, bytes, reason)
})

test('a bomb whose lines are right is refused for its size, before it is unpacked', async () => {
  await using ground = await grounds.files()
  const many = Array.from({ length: 900 }, (_, index) => stateLine(`k${index}`, { data: `"${'a'.repeat(100_000)}"` }))
  const bomb = gzipSync(archiveOf(many))
  expect(bomb.length * 200).toBeLessThan(90_000_000)
  await expectRefused(ground, bomb, /^The archive unpacks to more than 67108864 bytes.*--max-size\.$/m)
  await expectRefused(ground, archiveOf(good), /^The archive is more than 0 bytes/m, ['--max-size', '0k'])
  const allowed = await ground.admin(['import', '--dry-run', '--max-size', '100M'], {
    input: archiveOf(many),
  })
  expect(allowed.status).toBe(0)
})

test('cut behind any line, or within it, it is refused at that line', async () => {
  await using ground = await grounds.files()
  for (let kept = 0; kept < lines.length; kept += 1) {
    const whole = lines.slice(0, kept).join('')
    await expectRefused(ground, whole, new RegExp(`^Line ${kept + 1} of the archive is missing`, 'm'))
    await expectRefused(ground, `${whole}${lines[kept]?.slice(0, -1)}`, new RegExp(`^Line ${kept + 1} .* is cut`, 'm'))
  }
})

test('one that is changed after it was verified is not read on', async () => {
  await using ground = await grounds.files()
  const file = join(ground.folder, 'a')
  writeFileSync(file, archiveOf(good))
  await using source = await openSource(file, null, new AbortController().signal)
  const read = (): Promise<string> => text(source.chunks())
  expect(await read()).toBe(archiveOf(good))
  expect(await read()).toBe(archiveOf(good))
  appendFileSync(file, '\n')
  await expect(read()).rejects.toThrow('The archive was changed while it was read.')
})

test('a link, a folder and a file that is not there are no archives', async () => {
  await using ground = await grounds.files()
  const { admin, folder } = ground
  writeFileSync(join(folder, 'a'), archiveOf(good))
  symlinkSync('a', join(folder, 'link'))
  for (const [file, reason] of [
    ['link', /^link is a symbolic link, which is not followed/m],
    ['.', /^\. is no file/m],
    ['none', /^none cannot be read \(ENOENT\)/m],
  ] as const) {
    const { status, stdout, stderr } = await admin(['import', file, '--yes'])
    expect({ file, status, stdout }).toEqual({ file, status: 2, stdout: '' })
    expect(stderr).toMatch(reason)
  }
})

test('names of other programs are taken when that is said, and none that leads away', async () => {
  await using ground = await grounds.postgres()
  const { admin } = ground
  const foreign = archiveOf([taskFileLine('chat:-100123', 'a b:c.md')])
  const refused = await admin(['import', '--yes'], { input: foreign })
  expect(refused.status).toBe(1)
  expect(refused.stderr).toMatch(/^Line 2 .* holds a colon \(--foreign-names takes it\)/m)
  expect(await admin(['import', '--yes', '--foreign-names'], { input: foreign })).toMatchObject({ status: 0 })
  await expectRefused(ground, archiveOf([taskFileLine('a/../../x', 'a.md')]), /leads out of its folder/, [
    '--foreign-names',
  ])
})
