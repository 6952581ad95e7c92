import { CommandError } from '../cli/exit.ts'
import { maxLineBytes } from './format.ts'

const newLine = 0x0a

/** What is wrong with an archive, and where. */
export const refusal = (line: number, reason: string): CommandError =>
  new CommandError('failed', `Line ${line} of the archive ${reason}. Nothing was imported.`)

/** Lines with their ends, as bytes. One that is too long is refused before it is held whole, and so is one without an end. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let held = 0
  let line = 1
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(newLine); end !== -1; end = chunk.indexOf(newLine, from)) {
      const part = chunk.subarray(from, end + 1)
      if (held + part.length > maxLineBytes) throw refusal(line, `is longer than ${maxLineBytes} bytes`)
      yield parts.length === 0 ? part : Buffer.concat([...parts, part])
      parts = []
      held = 0
      from = end + 1
      line += 1
    }
    parts.push(chunk.subarray(from))
    held += chunk.length - from
    if (held > maxLineBytes) throw refusal(line, `is longer than ${maxLineBytes} bytes`)
  }
  if (held > 0) throw refusal(line, 'is cut: the file ends within it')
}
