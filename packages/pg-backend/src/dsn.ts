import { invalid } from '@nexus/core'

/** Refuses what the driver would throw whole, password included, from deep inside. */
export const checkDsn = (dsn: string): string => {
  const protocol = URL.canParse(dsn) ? new URL(dsn).protocol : ''
  if (protocol === 'postgresql:' || protocol === 'postgres:') return dsn
  throw invalid(
    'The PostgreSQL DSN is not a URL like postgresql://user:password@host:5432/database (special characters in the password percent-encoded).',
  )
}
