import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { describeMachine } from './machine.ts'
import { type Findings, writePage } from './page.ts'
import type { Curve, Row } from './results.ts'
import { textTable } from './table.ts'

export interface ReporterOptions {
  /** Prints one JSON value instead of a table. */
  json: boolean
  /** Brings docs/performance.md and its plots up to date with what was measured. */
  docs: boolean
}

const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** Tells people on standard error how it goes, and prints the results when all are there. */
export default class BenchReporter implements Reporter {
  readonly #options: ReporterOptions

  constructor(options: ReporterOptions) {
    this.#options = options
  }

  onTestCaseReady(test: TestCase): void {
    say(`${test.module.relativeModuleId.replace('bench/', '').replace('.bench.ts', '')}: ${test.name}`)
  }

  onTestCaseResult(test: TestCase): void {
    for (const error of test.result().errors ?? []) say(`${test.name}: ${error.stack ?? error.message}`)
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    for (const error of modules.flatMap((each) => each.errors())) say(error.stack ?? error.message)
    const metas = modules.flatMap((each) => [...each.children.allTests('passed')]).map((test) => test.meta())
    const rows: Row[] = metas.flatMap((each) => each.rows ?? [])
    const curves: Curve[] = metas.flatMap((each) => each.curves ?? [])
    const found: Findings = { schema: 1, at: new Date().toISOString(), machine: describeMachine(), rows, curves }
    if (this.#options.docs) await writePage(found)
    const text = this.#options.json ? JSON.stringify(found, null, 2) : textTable(rows)
    if (this.#options.json || rows.length > 0) process.stdout.write(`${text}\n`)
  }
}
