import { Hono } from 'hono'
import type { Outside } from '../telemetry/outside.ts'

/**
 * What supervisors and scrapers ask. No token: they have none, and nothing of a task's words is told, only that the
 * host lives, its stores' condition, and counts by project, agent and outcome.
 */
export const createProbes = ({ health, readiness, metrics }: Outside): Hono => {
  const probes = new Hono()
  probes.use(async (context, next) => {
    await next()
    context.header('Cache-Control', 'no-store')
  })
  probes.get('/healthz', (context) => context.json(health()))
  probes.get('/readyz', async (context) => {
    const { isReady, reasons, stores } = await readiness()
    return isReady
      ? context.json({ status: 'ready', stores })
      : context.json({ status: 'not ready', reasons, stores }, 503)
  })
  probes.get('/metrics', async (context) => {
    const text = await metrics.text()
    return context.body(text, 200, { 'Content-Type': metrics.contentType })
  })
  return probes
}
