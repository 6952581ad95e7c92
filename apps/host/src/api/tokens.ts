import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createOnce, errorCode, makeFolder } from '../runner/durable-file.ts'

/** Whom a request comes from: an attempt's agent, or a tool that may read the root. */
export type Bearer = { kind: 'attempt'; attempt: string } | { kind: 'host' }

/** Bearer tokens: made from one secret of the root, so that they stay good when the host is restarted. */
export interface Tokens {
  forAttempt(attempt: string): string
  /** Null for a token that this root did not give out. */
  read(token: string): Bearer | null
}

const hostName = 'host'

const readSecret = async (path: string): Promise<string> => {
  for (;;) {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
      await createOnce(path, `${randomBytes(32).toString('hex')}\n`)
    }
  }
}

const createTokens = (secret: string): Tokens => {
  const sign = (name: string): string => createHmac('sha256', secret).update(name).digest('hex')
  const token = (name: string): string => `${name}.${sign(name)}`
  return {
    forAttempt: token,
    read(given) {
      const dot = given.lastIndexOf('.')
      const name = given.slice(0, Math.max(dot, 0))
      const expected = Buffer.from(token(name))
      const actual = Buffer.from(given)
      if (name === '' || expected.length !== actual.length || !timingSafeEqual(expected, actual)) return null
      return name === hostName ? { kind: 'host' } : { kind: 'attempt', attempt: name }
    },
  }
}

/** Names this root among all: known to those alone who may read its secret. */
export const openRootId = async (root: string): Promise<string> => {
  await makeFolder(hostFolder(root), 0o700)
  const secret = await readSecret(join(hostFolder(root), 'secret'))
  return createHash('sha256').update(secret).digest('hex').slice(0, 16)
}

/** The folder below the root where the host keeps what is its own: secret, token for tools, last port. */
export const hostFolder = (root: string): string => join(root, 'host')

/** Reads or makes the root's secret and writes the token for tools (`host/token`), both readable by their owner alone. */
export const openTokens = async (root: string): Promise<Tokens> => {
  const folder = hostFolder(root)
  await makeFolder(folder, 0o700)
  const tokens = createTokens((await readSecret(join(folder, 'secret'))).trim())
  await createOnce(join(folder, 'token'), `${tokens.forAttempt(hostName)}\n`)
  return tokens
}
