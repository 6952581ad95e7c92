import { resolve } from 'node:path'
import type { Backend } from '@nexus/core'
import { readConfig } from '@nexus/core'
import { steerWorkflow } from '@nexus/engine'
import { type Killed, killRun, readRun } from '@nexus/host/runs'
import { userName } from '../audit/audit.ts'
import { exit } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { withStores } from '../cli/with-stores.ts'
import { BulkResult, bulkText, changeSeveral, type Item } from './bulk.ts'

export type KillOptions = Json & { force?: boolean }

const reasons = {
  killed: undefined,
  ended: 'it is over already',
  absent: undefined,
  survived: 'processes of it outlived SIGKILL: look at them with ps',
} as const satisfies Record<Exclude<Killed['status'], 'elsewhere'>, string | undefined>

const force = async (root: string, id: string): Promise<Item> => {
  const killed = await killRun(root, id)
  const reason =
    killed.status === 'elsewhere' ? `it was started on ${killed.host || 'another machine'}` : reasons[killed.status]
  return { id, status: killed.status, ok: killed.status === 'killed', ...(reason !== undefined && { reason }) }
}

/** Its workflow is cancelled, and the host that holds it ends the agent. */
const cancel = async (
  stores: Pick<Backend, 'workflows' | 'inbox' | 'hostState'>,
  root: string,
  id: string,
): Promise<Item> => {
  const run = await readRun(root, id)
  if (!run) return { id, status: 'absent', ok: false }
  if (run.status === 'ended') return { id, status: 'ended', ok: false, reason: reasons.ended }
  const at = new Date().toISOString()
  const order = { type: 'cancel', at, reason: `its agent was killed by ${userName()}` } as const
  const steered =
    run.workflow === null ? { status: 'absent' as const } : await steerWorkflow(stores, run.workflow, order)
  if (steered.status === 'done' || steered.status === 'requested') return { id, status: steered.status, ok: true }
  const reason = 'reason' in steered ? `its workflow ${run.workflow}: ${steered.reason}` : 'no workflow runs it'
  return { id, status: 'refused', ok: false, reason: `${reason}; --force ends its processes` }
}

const line = ({ id, status, reason }: Item): string => {
  if (status === 'absent') return `There is no run ${id} below this root. See: nexus-admin agent ls`
  if (status === 'killed') return `${id}: its processes are ended.`
  if (status === 'requested' || status === 'done')
    return `${id}: its workflow is cancelled, and its host ends the agent.`
  return `${id} stays as it is: ${reason}.`
}

/** `agent kill`: ends agents through the cancel of their workflows, or with `--force` their processes alone. */
export const killAgents = async (attempts: readonly string[], options: KillOptions): Promise<void> => {
  const { force: isForced = false } = options
  const root = resolve(readConfig(process.env).dir)
  const killAll = (change: (id: string) => Promise<Item>) =>
    changeSeveral({
      root,
      command: 'agent kill',
      noun: 'agents',
      given: isForced ? { force: true } : {},
      ids: attempts,
      choose: null,
      change,
      options: {},
    })
  // By force it goes without the stores, which may be away.
  const result = isForced
    ? await killAll((id) => force(root, id))
    : await withStores(({ stores }) => killAll((id) => cancel(stores, root, id)))
  if (result === null) return
  if (result.items.some(({ ok }) => !ok)) process.exitCode = exit.failed
  print(options, BulkResult, result, () => bulkText(result, { noun: 'agents', line }))
}
