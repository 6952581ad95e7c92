import { z } from 'zod'
import { envelope } from '../../cli/output.ts'

/** What `doctor --json` prints. */
export const Diagnosis = envelope({
  status: z.enum(['ok', 'warn', 'fail']).describe('the worst of the checks'),
  checks: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['ok', 'warn', 'fail']),
      message: z.string(),
      detail: z.array(z.string()),
      fix: z.string().nullable().describe('the command or step that mends it'),
      safe: z.boolean().describe('--fix mends it'),
    }),
  ),
  mended: z.array(z.string()).describe('checks whose fault --fix mended, as they are after it'),
})
export type Diagnosis = z.output<typeof Diagnosis>
