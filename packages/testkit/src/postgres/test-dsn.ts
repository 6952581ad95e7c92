import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for the DSN; the first who asks has the server started. */
    dsn: string
  }
}

/** The DSN of the PostgreSQL server that this test run shares: `NEXUS_TEST_DSN`, else a private one started on first use. */
export const testDsn = async (): Promise<string> => {
  const answer = await fetch(inject('dsn'))
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}
