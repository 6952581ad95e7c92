import type { TestProject } from 'vitest/node'
import type {} from '../index.ts'
import { startCluster } from './cluster.ts'
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['NEXUS_TEST_DSN']
  if (given) {
    project.provide('dsn', given)
    return async () => {}
  }
  const cluster = await startCluster()
  project.provide('dsn', cluster.dsn)
  return async () => {
    await cluster[Symbol.asyncDispose]()
  }
}
