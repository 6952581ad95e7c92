import type { InboxStore, Stores } from '@nexus/core'
import { type AtHome, createAtHome, type Marks } from './moved.ts'

const inboxAtHome = (inbox: InboxStore, home: AtHome, check: () => void): InboxStore => ({
  enqueue: home(inbox.enqueue),
  claim: home(inbox.claim),
  bind: home(inbox.bind),
  heartbeat: home(inbox.heartbeat),
  complete: home(inbox.complete),
  fail: home(inbox.fail),
  release: home(inbox.release),
  resume: home(inbox.resume),
  sweep: home(inbox.sweep),
  requeue: home(inbox.requeue),
  cancel: home(inbox.cancel),
  load: home(inbox.load),
  counts: home(inbox.counts),
  oldestDue: home(inbox.oldestDue),
  list: home(inbox.list),
  purge: home(inbox.purge),
  watch(signal) {
    check()
    return inbox.watch(signal)
  },
})

/** The stores, each answering for as long as it has not moved away. */
export const createStoresAtHome = (
  { workflows, completions, hostState, taskFiles, inbox }: Stores,
  marks: Marks,
  isClosed: () => boolean,
): Stores => {
  const [workflow, completion] = [
    createAtHome(marks, 'workflows', isClosed),
    createAtHome(marks, 'completions', isClosed),
  ]
  const [state, task] = [createAtHome(marks, 'hostState', isClosed), createAtHome(marks, 'taskFiles', isClosed)]
  return {
    workflows: {
      save: workflow(workflows.save),
      load: workflow(workflows.load),
      list: workflow(workflows.list),
      delete: workflow(workflows.delete),
      counts: workflow(workflows.counts),
    },
    completions: {
      save: completion(completions.save),
      scan: completion(completions.scan),
      history: completion(completions.history),
      assign: completion(completions.assign),
      delete: completion(completions.delete),
    },
    hostState: {
      load: state(hostState.load),
      save: state(hostState.save),
      patch: state(hostState.patch),
      update: state(hostState.update),
      delete: state(hostState.delete),
      keys: state(hostState.keys),
    },
    taskFiles: {
      save: task(taskFiles.save),
      load: task(taskFiles.load),
      list: task(taskFiles.list),
      close: task(taskFiles.close),
      reopen: task(taskFiles.reopen),
      delete: task(taskFiles.delete),
    },
    inbox: inboxAtHome(inbox, createAtHome(marks, 'inbox', isClosed), () => {
      if (!isClosed()) marks.check('inbox')
    }),
  }
}
