import PgBoss from 'pg-boss'

/** The one queue that the benches use. */
export const queue = 'bench'

export interface Boss extends AsyncDisposable {
  readonly boss: PgBoss
  /** Puts in so many jobs of one statement, of which nobody asks for the ids. */
  fill(count: number, dataOf: (n: number) => object): Promise<void>
  /** By state, of the queue's whole life: nothing is archived in between. */
  count(state: 'created' | 'active' | 'completed'): Promise<number>
}

/** pg-boss without its maintenance, schedules and monitoring, so that it does nothing besides what is measured. */
export const openBoss = async (dsn: string, connections = 10): Promise<Boss> => {
  const boss = new PgBoss({ connectionString: dsn, max: connections, supervise: false, schedule: false })
  const failures: Error[] = []
  boss.on('error', (error) => failures.push(error))
  await boss.start()
  await boss.createQueue(queue)
  return {
    boss,
    async fill(count, dataOf) {
      await boss.insert(Array.from({ length: count }, (_, n) => ({ name: queue, data: dataOf(n) })))
    },
    async count(state) {
      const { rows } = await boss
        .getDb()
        .executeSql(
          'SELECT count(*)::integer AS count FROM pgboss.job WHERE name = $1 AND state = $2::pgboss.job_state',
          [queue, state],
        )
      return rows[0]?.count
    },
    async [Symbol.asyncDispose]() {
      await boss.stop({ graceful: false, wait: true })
      if (failures.length > 0) throw new AggregateError(failures, 'pg-boss failed meanwhile')
    },
  }
}
