import { isStoreError } from '@nexus/core'

/** Whether it was done: false where the store cannot be reached, which stops nothing. */
export const isReached = async (done: Promise<void>): Promise<boolean> => {
  try {
    await done
    return true
  } catch (error) {
    if (!isStoreError(error, 'unavailable')) throw error
    return false
  }
}
