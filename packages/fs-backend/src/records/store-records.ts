import type { CallOptions, Page, RecordsRequest, StoreName, StoreRecords } from '@nexus/core'

/** The records of one store. */
export interface RecordsOf<S extends StoreName> {
  read(page: RecordsRequest, options?: CallOptions): Promise<Page<StoreRecords[S]>>
  find(keys: readonly string[], options?: CallOptions): Promise<StoreRecords[S][]>
  write(records: readonly StoreRecords[S][], options?: CallOptions): Promise<void>
  remove(keys: readonly string[], options?: CallOptions): Promise<void>
}
