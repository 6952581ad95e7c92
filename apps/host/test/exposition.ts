/** One sample of the Prometheus text format. */
export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

const samplePattern = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy

const labelsOf = (text: string): Record<string, string> => {
  const labels: Record<string, string> = {}
  let end = 0
  for (const match of text.matchAll(labelPattern)) {
    labels[match[1] ?? ''] = match[2] ?? ''
    end = match.index + match[0].length
  }
  if (end !== text.length) throw new Error(`labels that cannot be read: ${text}`)
  return labels
}

/** Reads all of it, or throws at the first line that is none: each sample's metric is announced with help and type. */
export const parseExposition = (text: string): Sample[] => {
  const types = new Map<string, string>()
  const helped = new Set<string>()
  const samples: Sample[] = []
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, kind, about = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') helped.add(about)
    else if (kind === 'TYPE') types.set(about, rest)
    else {
      const [, name = '', labels = '', value = ''] = samplePattern.exec(line) ?? []
      const base = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
      if (!types.has(base) || !helped.has(base)) throw new Error(`no sample of an announced metric: ${line}`)
      if (value !== 'Nan' && (value === '' || Number.isNaN(Number(value)))) throw new Error(`no number: ${line}`)
      samples.push({ name, labels: labelsOf(labels), value: Number(value) })
    }
  }
  return samples
}

/** The value of the one sample of that name and those labels; null where there is none. */
export const sampleOf = (
  samples: readonly Sample[],
  name: string,
  labels: Record<string, string> = {},
): number | null => {
  const found = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )
  if (found.length > 1) throw new Error(`several samples of ${name} ${JSON.stringify(labels)}`)
  return found[0]?.value ?? null
}
