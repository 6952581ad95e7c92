export { documentedColumns, type ExistingDatabase, type ExistingRow, fillDatabase, rowDigests } from './database.ts'
export { existingDatabases } from './databases.ts'
export { type ExistingRecords, type ExistingTree, plantTree, treeDigests } from './tree.ts'
export { existingTrees } from './trees.ts'
