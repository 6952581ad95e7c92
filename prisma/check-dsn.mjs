if (!process.env['NEXUS_STORAGE_DSN']) {
  process.stderr.write(
    'NEXUS_STORAGE_DSN is not set. Prisma Studio needs the database to show, for example:\n' +
      '  NEXUS_STORAGE_DSN=postgresql://user:password@localhost:5432/nexus npx --yes pnpm studio\n',
  )
  process.exit(78)
}
