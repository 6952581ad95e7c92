import { once } from 'node:events'
import { createServer } from 'node:http'
import type { TestProject } from 'vitest/node'
import { type Cluster, startCluster } from './cluster.ts'
import type {} from './test-dsn.ts'

/** A run without PostgreSQL tests does not pay for a server: workers ask for the DSN here, and the first one starts it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let cluster: Promise<Cluster> | undefined
  const dsn = async (): Promise<string> => {
    const given = process.env['NEXUS_TEST_DSN']
    if (given) return given
    cluster ??= startCluster()
    return (await cluster).dsn
  }
  const desk = createServer((_request, response) => {
    dsn().then(
      (text) => response.end(text),
      (error) => response.writeHead(500).end(String(error)),
    )
  })
  desk.listen(0, '127.0.0.1')
  await once(desk, 'listening')
  const address = desk.address()
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.')
  project.provide('dsn', `http://127.0.0.1:${address.port}/`)
  return async () => {
    desk.closeAllConnections()
    desk.close()
    const started = await cluster?.catch(() => undefined)
    await started?.[Symbol.asyncDispose]()
  }
}
