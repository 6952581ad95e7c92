import { once } from 'node:events'

/** Works when the parent says so, and tells it what was taken, in one line at the end. */
export const whenTold = async (work) => {
  process.stdout.write('ready\n')
  await once(process.stdin, 'data')
  const taken = []
  await work((ids) => taken.push(...ids))
  process.stdout.write(`${JSON.stringify(taken)}\n`)
  process.stdin.destroy()
}
