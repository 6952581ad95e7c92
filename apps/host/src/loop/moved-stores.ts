import { isStoreError, type StoreError, type Stores } from '@nexus/core'

/** The same store; `tell` hears of every call that it refuses because it has moved, whatever the caller makes of that. */
const watched = <S extends object>(store: S, tell: (error: StoreError) => void): S =>
  new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...given: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, target, given)
        if (answer instanceof Promise)
          answer.catch((error: unknown) => {
            if (isStoreError(error) && error.movedTo !== undefined) tell(error)
          })
        return answer
      }
    },
  })

/** Stores that tell when one of them has moved: some callers go on without an answer, and would never say it. */
export const watchMoved = (stores: Stores, tell: (error: StoreError) => void): Stores => ({
  workflows: watched(stores.workflows, tell),
  completions: watched(stores.completions, tell),
  hostState: watched(stores.hostState, tell),
  taskFiles: watched(stores.taskFiles, tell),
  inbox: watched(stores.inbox, tell),
})
