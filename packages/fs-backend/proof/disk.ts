import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A real file system in a file. Mounting needs root; without it the proof fails and says so. */
export interface Disk extends AsyncDisposable {
  folder: string
  /** Answers what takes the power away at once: nothing that is not on the disk reaches it any more. */
  prepareCut(): Promise<() => Promise<void>>
  /** What a restart does: the journal is played back. */
  remount(): Promise<void>
}

const run = async (command: string, ...args: string[]): Promise<void> => {
  try {
    await promisify(execFile)(command, args, {
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    })
  } catch (cause) {
    throw new Error(`This proof mounts a disk of its own, which this system refuses: ${String(cause)}`, { cause })
  }
}

/** EXT4_IOC_SHUTDOWN without flushing the journal. */
const cutProgram = `
  open(my $disk, '<', $ARGV[0]) or die $!;
  $| = 1; print "ready\\n"; my $now = <STDIN>;
  my $how = pack('L', 2); defined ioctl($disk, 0x8004587d, $how) or die $!;
`

export const openDisk = async (bytes: number, ...format: string[]): Promise<Disk> => {
  const place = await mkdtemp(join(tmpdir(), 'nexus-fs-disk-'))
  const [image, folder] = [join(place, 'image'), join(place, 'mounted')]
  await writeFile(image, '')
  await truncate(image, bytes)
  await mkdir(folder)
  await run('mkfs.ext4', '-q', '-F', ...format, image)
  const mount = (): Promise<void> => run('mount', '-o', 'loop', image, folder)
  const unmount = (): Promise<void> => run('umount', folder)
  await mount()
  return {
    folder,
    async prepareCut() {
      const child = spawn('perl', ['-e', cutProgram, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
      const ended = once(child, 'exit')
      await once(child.stdout, 'data')
      return async () => {
        child.stdin.end('now\n')
        const [code] = await ended
        if (code !== 0) throw new Error('The power could not be cut.')
      }
    },
    async remount() {
      await unmount()
      await mount()
    },
    async [Symbol.asyncDispose]() {
      await unmount()
      await rm(place, { recursive: true, force: true })
    },
  }
}
