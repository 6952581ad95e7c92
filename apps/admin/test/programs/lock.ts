import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError } from '../../src/cli/exit.ts'
import { openMoveFolder } from '../../src/move/folder.ts'

/** Takes the lock of a root as soon as it can, says `both` where somebody else has it at the same time, and is killed with it. */
const root = process.argv[2] ?? ''
const inside = join(root, 'inside')

const taken = async (): Promise<boolean> => {
  try {
    await openMoveFolder(root).lock()
    return true
  } catch (error) {
    if (error instanceof CommandError) return false
    throw error
  }
}

while (!(await taken()));
const isAlone = await mkdir(inside).then(
  () => true,
  () => false,
)
process.stdout.write(isAlone ? 'alone\n' : 'both\n')
for (let n = 0; n < 500; n += 1) await mkdir(root, { recursive: true })
if (isAlone) await rmdir(inside)
process.kill(process.pid, 'SIGKILL')
