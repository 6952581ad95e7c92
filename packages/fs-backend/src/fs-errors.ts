import { isStoreError, type Outcome, StoreError } from '@nexus/core'

const advice = {
  ENOSPC: 'the disk is full: free some space, nothing else is needed',
  EDQUOT: 'the disk quota is used up: free some space, nothing else is needed',
  EIO: 'the disk reported an input/output error: check the disk before trusting it further',
  EROFS: 'the file system is read-only: remount it writable',
  EACCES: 'permission denied: give this user read and write access to the folder',
  EPERM: 'not permitted: give this user read and write access to the folder',
  EMFILE: 'this process has too many open files: raise its limit (ulimit -n)',
  ENFILE: 'the system has too many open files: raise its limit (fs.file-max)',
  ELOOP: 'a symlink stands where a folder or file of the store belongs: replace it by what it points to',
  ENOTDIR: 'a file or symlink stands where a folder of the store belongs: move it away',
  EISDIR: 'a folder stands where a file of the store belongs: move it away',
  ENOTEMPTY: 'a folder stands where a file of the store belongs: move it away',
  EXDEV: 'a folder of the store lies on another file system: keep the whole root on one',
  ENAMETOOLONG: 'the name is too long for this file system: use a shorter one',
  EMLINK: 'the file has too many hard links: this file system cannot hold the store',
  ENOENT: 'it vanished while it was used: see whether another program removes files of the store',
} as const satisfies Record<string, string>

/** The errno name of a failed system call, or null. */
export const errnoOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

export const isAbsent = (error: unknown): boolean => errnoOf(error) === 'ENOENT'

const deniedCodes: ReadonlySet<string> = new Set(['EACCES', 'EPERM'])

/** The system lets this user not at it: no other try mends that, and whatever lies beside it is no worse for it. */
export const isDenied = (error: unknown): boolean =>
  deniedCodes.has(errnoOf(isStoreError(error) ? error.cause : error) ?? '')

/** The one place that decides what a failed system call means to a caller of the stores. */
export const storeErrorOf = (error: unknown, path: string, outcome: Outcome = 'not-applied'): unknown => {
  const errno = errnoOf(error)
  if (errno === null || isStoreError(error)) return error
  const known: Record<string, string> = advice
  return new StoreError({
    code: 'unavailable',
    outcome,
    message: `${path}: ${known[errno] ?? 'the system call failed'} (${errno}).`,
    cause: error,
  })
}

/** Runs file work of one path; what the system refuses becomes a `StoreError` that names the path. */
export const guarded = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw storeErrorOf(error, path)
  }
}

/** Nothing is written over what is no plain file: it is no record, but it is somebody's. */
export const obstacleError = (path: string): StoreError =>
  new StoreError({
    code: 'unavailable',
    message: `${path}: a folder, symlink or special file stands where a file of the store belongs: move it away.`,
  })

/** What fails after its effect may have begun may have happened. */
export const unsure = (error: unknown): unknown =>
  error instanceof StoreError && error.code === 'unavailable'
    ? new StoreError({
        code: 'unavailable',
        message: error.message,
        outcome: 'unknown',
        ...(error.movedTo !== undefined && { movedTo: error.movedTo }),
        cause: error.cause,
      })
    : error

/** The rest of a call that has begun. */
export const begun = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw unsure(error)
  }
}

/** Work that a reader does in passing: a disk that takes no writes now must not keep it from reading. False where it was refused. */
export const ifPossible = async (work: () => Promise<unknown>): Promise<boolean> => {
  try {
    await work()
    return true
  } catch (error) {
    if (!isStoreError(error, 'unavailable')) throw error
    return false
  }
}
