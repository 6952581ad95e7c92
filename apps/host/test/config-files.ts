import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@nexus/core'
import { afterAll, beforeAll, expect } from 'vitest'
import { readHostConfig } from '../src/config/read.ts'

/** A file that is configured well, of which a test changes one thing. */
export const good = `projects:
  shop: { workspace: . }
agents:
  Triage: { command: 'node agents/triage.mjs' }
  '@developer': { command: [node, agents/dev.mjs], prompt: none, timeout_seconds: 60, env: [API_KEY] }
workflows:
  chain:
    apiVersion: nexus/v1
    description: two steps
    steps:
      - { id: triage, agent_type: triage, prompt: 'Look.', tools: [read], inputs: { a: 1 } }
      - { id: develop, agent: Developer, description: 'Do it.', timeout: 30 }
`

/** The same with these members of its first agent, or of its first step. */
export const agent = (members: string) => good.replace("command: 'node agents/triage.mjs'", members)
export const step = (members: string) => good.replace("prompt: 'Look.'", members)

/** A folder for the files of one suite, and what reading them says. */
export const useConfigFiles = () => {
  let folder: string
  let count = 0

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus-config-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const read = async (text: string) => {
    count += 1
    const file = join(folder, `nexus-${count}.yaml`)
    await writeFile(file, text)
    return readHostConfig(file)
  }

  const refusal = async (text: string): Promise<string> => {
    const error = await read(text).then(
      () => null,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(ConfigError)
    return error instanceof Error ? error.message.replace(`${folder}/`, '').replace(/^nexus-\d+/, 'nexus') : ''
  }

  return { folder: () => folder, read, refusal }
}
