/** What a call may take, with all of its statements and the waits for their connections. */
export interface Budget {
  /** Milliseconds of the whole. */
  readonly ms: number
  /** Milliseconds. Throws where too little is left for a statement. */
  left(): number
}

/** These are known to the table of errors; the second is what the pool says when its own limit is reached. */
const outOfTime = 'no time left for the next statement'
const noConnection = 'timeout exceeded when trying to connect'

export const startBudget = (ms: number): Budget => {
  const start = performance.now()
  return {
    ms,
    left() {
      const left = ms - (performance.now() - start)
      // A statement that could hardly be answered in time is not sent: it would end as perhaps applied.
      if (left < ms / 20) throw new Error(outOfTime)
      return left
    },
  }
}

/** Waits for a connection as long as the budget has it; one that comes later is still to be taken care of. */
export const withinBudget = async <T>(connecting: Promise<T>, left: number): Promise<T> => {
  let late: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error(noConnection)), left)
  })
  try {
    return await Promise.race([connecting, expired])
  } finally {
    clearTimeout(late)
  }
}
