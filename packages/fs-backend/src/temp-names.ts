import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'

/** Names temp files by the process that makes them, so that a later open knows which are strays. */
export interface TempNames {
  next(): string
  /** True where the maker is provably gone: another boot of this process space is not proof, another start time is. */
  isStray(name: string): boolean
}

const attempt = (read: () => string): string => {
  try {
    return read()
  } catch {
    return ''
  }
}

const startTime = (pid: string): string => {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // The command's name may hold spaces and brackets, so fields are counted after the last bracket.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

/** A process id means something only within one boot and one pid namespace. */
const processSpace = (): string => {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'))
  return createHash('sha256').update(`${boot} ${namespace}`).digest('hex').slice(0, 12)
}

export const createTempNames = (unique: () => string): TempNames => {
  const space = processSpace()
  const start = startTime(String(process.pid))
  const own = `${space}-${process.pid}-${start}-`
  return {
    next: () => `${own}${unique()}`,
    isStray(name) {
      const [madeIn = '', pid = '', madeAt = ''] = name.split('-')
      return madeIn === space && madeAt !== '' && startTime(pid) !== madeAt
    },
  }
}
