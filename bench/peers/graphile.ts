import { Logger, makeWorkerUtils, type Runner, run, type TaskList, type WorkerUtils } from 'graphile-worker'
import pg from 'pg'

/** The one task that the benches know. */
export const task = 'bench'

const logger = new Logger(() => () => {})

export interface Graphile extends AsyncDisposable {
  readonly utils: WorkerUtils
  /** Puts in so many jobs with one call of its own function for many. */
  fill(count: number, payloadOf: (n: number) => object): Promise<void>
  /** Workers with connections of their own, until they are stopped. */
  work(options: { concurrency: number; connections: number }, handler: TaskList[string]): Promise<Runner>
  /** Jobs that are not done: it removes those that are. */
  left(): Promise<number>
}

export const openGraphile = async (dsn: string): Promise<Graphile> => {
  const pool = new pg.Pool({ connectionString: dsn, max: 10 })
  const utils = await makeWorkerUtils({ pgPool: pool, logger })
  await utils.migrate()
  return {
    utils,
    async fill(count, payloadOf) {
      const payloads = Array.from({ length: count }, (_, n) => JSON.stringify(payloadOf(n)))
      await pool.query(
        `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
           SELECT json_populate_record(NULL::graphile_worker.job_spec, json_build_object('identifier', $1::text, 'payload', p::json))
           FROM unnest($2::text[]) AS p))`,
        [task, payloads],
      )
    },
    work: ({ concurrency, connections }, handler) =>
      run({
        connectionString: dsn,
        maxPoolSize: connections,
        concurrency,
        logger,
        noHandleSignals: true,
        crontab: '',
        taskList: { [task]: handler },
      }),
    async left() {
      const { rows } = await pool.query('SELECT count(*)::integer AS count FROM graphile_worker._private_jobs')
      return rows[0]?.count
    },
    async [Symbol.asyncDispose]() {
      await utils.release()
      await pool.end()
    },
  }
}
