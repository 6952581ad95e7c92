import { once } from 'node:events'
import { basename, dirname, join } from 'node:path'
import { watch } from 'chokidar'
import { tell } from './tell.mjs'

const told = tell()
const watcher = watch(join(process.argv[2], 'inbox'), { depth: 1, ignoreInitial: true, followSymlinks: false })
watcher.on('add', (path) => told.heard(basename(dirname(path)))).on('ready', () => told.heard(null))
await once(told.signal, 'abort')
await watcher.close()
