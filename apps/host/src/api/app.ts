import { isStoreError, type Logger, maxReportBytes } from '@nexus/core'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Intake, PostAnswer } from '../intake/intake.ts'
import type { Outside } from '../telemetry/outside.ts'
import { createHostCheck, type HostCheckOptions } from './host-check.ts'
import { createProbes } from './probes.ts'
import type { Bearer, Tokens } from './tokens.ts'

/** Where agents POST their reports. */
export const completionPath = '/api/v1/completion'

const statusOf = {
  stored: 201,
  invalid: 400,
  'foreign-attempt': 403,
  'no-project': 409,
} as const satisfies Record<PostAnswer['status'], number>

const attemptOf = (bearer: Bearer): string | null => (bearer.kind === 'attempt' ? bearer.attempt : null)

export interface ApiOptions extends HostCheckOptions {
  intake: Pick<Intake, 'post'>
  tokens: Pick<Tokens, 'read'>
  outside: Outside
  logger: Logger
}

/** The host's HTTP interface, without a socket. */
export const createApi = ({ intake, tokens, outside, logger, listen, hosts }: ApiOptions) => {
  const app = new Hono<{ Variables: { bearer: Bearer } }>()
  const isServed = createHostCheck({ listen, hosts })

  app.use(async (context, next) => {
    if (!isServed(context.req.header('host'), context.req.header('origin')))
      return context.json(
        { error: 'Only programs are served, under a loopback address or as api.listen and api.hosts say.' },
        403,
      )
    return next()
  })

  app.route('/', createProbes(outside))

  app.use('/api/*', async (context, next) => {
    const token = /^Bearer (\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
    const bearer = token === undefined ? null : tokens.read(token)
    if (!bearer)
      return context.json({ error: 'A token is needed: Authorization: Bearer $NEXUS_COMPLETION_TOKEN' }, 401, {
        'WWW-Authenticate': 'Bearer',
      })
    context.set('bearer', bearer)
    return next()
  })

  app.post(
    completionPath,
    bodyLimit({
      maxSize: maxReportBytes,
      onError(context) {
        const bearer = context.get('bearer')
        const reason = `A report is at most ${maxReportBytes} bytes long.`
        logger.warn('report refused', { status: 'too-long', reason, run: attemptOf(bearer) })
        return context.json({ error: reason }, 413)
      },
    }),
    async (context) => {
      const bearer = context.get('bearer')
      const answer = await intake.post(await context.req.text(), attemptOf(bearer))
      if (answer.status === 'stored') return context.json({ dedup_key: answer.dedupKey }, 201)
      logger.warn('report refused', { status: answer.status, reason: answer.reason, run: attemptOf(bearer) })
      return context.json({ error: answer.reason }, statusOf[answer.status])
    },
  )

  app.notFound((context) =>
    context.json({ error: `There is nothing here. Reports go to POST ${completionPath}.` }, 404),
  )

  app.onError((error, context) => {
    if (isStoreError(error, 'unavailable') || isStoreError(error, 'closed')) {
      const advice =
        'The completion store cannot be reached now. Try again, or write the file in NEXUS_COMPLETION_FILE.'
      return context.json({ error: advice }, 503, { 'Retry-After': '2' })
    }
    logger.error('request failed', { path: context.req.path, error: String(error) })
    return context.json({ error: 'The host failed on this request; its log says why.' }, 500)
  })

  return app
}
