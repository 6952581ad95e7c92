import { relative } from 'node:path'
import { type DemoPlace, demoProject } from './place.ts'

export interface DemoWords {
  place: DemoPlace
  /** Of the embedded server; null where there is none. */
  dsn: string | null
  once: boolean
}

const near = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short || '.'
}

/** A word for a shell: quoted where it needs to be. */
const quoted = (text: string): string => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

const dropLine = ({ place }: DemoWords): string =>
  `echo 'Write a haiku about queues.' > ${quoted(near(`${place.root}/inbox/${demoProject}/my-task.md`))}`

/** What lies where, after the example. */
export const whereItLies = ({ place, dsn }: DemoWords): string =>
  [
    `Everything lies in  ${near(place.root)}`,
    `  agents worked in  ${near(place.workspace)}`,
    `  and said          ${near(place.root)}/runs/*/output.log`,
    `  as told by        ${near(place.config)}`,
    ...(dsn === null ? [] : [`Database            ${dsn}`]),
  ].join('\n')

/** What to try next. */
export const tryNext = (words: DemoWords): string => {
  const start = words.dsn === null ? 'start' : 'start:postgres'
  const own = `Your own agent      npx --yes pnpm ${start} --agent 'claude -p --permission-mode acceptEdits'`
  const browse =
    words.dsn === null ? [] : [`Browse the tables   NEXUS_STORAGE_DSN=${quoted(words.dsn)} npx --yes pnpm studio`]
  if (words.once) return own
  return [`Your own task       ${dropLine(words)}`, own, ...browse, 'Stop                Ctrl-C'].join('\n')
}

/** How to take the database away and bring it back while tasks run. */
export const offAndOn = (pid: number): string => `Database off, on    kill -USR2 ${pid}`
