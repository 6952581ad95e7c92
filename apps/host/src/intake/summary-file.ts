import { readFile, stat } from 'node:fs/promises'
import { maxReportBytes, readReportText } from '@nexus/core'

/**
 * Why the summary file at this path is no report, looked at now; null for one that is, and for none. Whoever else reads
 * the root may have been told that it is rejected, and nobody is told twice.
 */
export const whyNoReport = async (path: string, issueNumber: string): Promise<string | null> => {
  try {
    const { size } = await stat(path)
    if (size > maxReportBytes) return `The report is ${size} bytes long; at most ${maxReportBytes} are taken.`
    const read = readReportText(await readFile(path, 'utf8'), { issueNumber })
    return read.ok ? null : read.reason
  } catch (error) {
    const { code, message } = error instanceof Error && 'code' in error ? error : { code: null, message: String(error) }
    return code === 'ENOENT' ? null : `${message}.`
  }
}
