import type { Command, Option } from 'commander'
import type { Cli, CompletedIds } from '../cli/cli.ts'

/** Where the words of a line lead to. */
interface Reached {
  command: Command
  path: string[]
  /** Arguments of the command before the one that is typed. */
  given: number
  /** The option whose value is typed. */
  option: Option | null
}

const takesValue = ({ required, optional }: Option): boolean => required || optional

const reach = (program: Command, words: readonly string[]): Reached => {
  const reached: Reached = { command: program, path: [], given: 0, option: null }
  for (const word of words) {
    if (reached.option) {
      reached.option = null
      continue
    }
    if (word.startsWith('-') && word.length > 1) {
      const option = reached.command.options.find(({ long, short }) => word === long || word === short)
      reached.option = option && takesValue(option) ? option : null
      continue
    }
    const child = reached.command.commands.find((each) => each.name() === word || each.aliases().includes(word))
    if (child) {
      reached.command = child
      reached.path.push(child.name())
    } else reached.given += 1
  }
  return reached
}

/** An answer stands in the line as it is: what a shell would read as more than a word is not offered. */
const isPlainWord = (text: string): boolean => /^[\p{L}\p{N}_.@%+,/-]+$/u.test(text) && !text.startsWith('-')

const hidden: readonly string[] = ['complete']

const wordsFor = async (
  { abouts }: Cli,
  { command, path, given, option }: Reached,
  readIds: (kind: CompletedIds) => Promise<string[]>,
): Promise<string[]> => {
  if (option) return [...(option.argChoices ?? [])]
  const children = command.commands.map((child) => child.name()).filter((name) => !hidden.includes(name))
  if (children.length > 0) return given === 0 ? [...children, 'help'] : []
  const known = command.registeredArguments
  const argument = known[given] ?? (known.at(-1)?.variadic ? known.at(-1) : undefined)
  if (!argument) return []
  if (argument.argChoices) return [...argument.argChoices]
  const kind = abouts.get(path.join(' '))?.completes
  const isIds = kind !== undefined && (argument.variadic || given === 0)
  return isIds ? (await readIds(kind)).filter(isPlainWord) : []
}

/** What can stand in the place of the last word of a line: commands, options, their values, and ids from the stores. */
export const complete = async (
  cli: Cli,
  words: readonly string[],
  readIds: (kind: CompletedIds) => Promise<string[]>,
): Promise<string[]> => {
  const current = words.at(-1) ?? ''
  const reached = reach(cli.program, words.slice(0, -1))
  const isOption = current.startsWith('-') && !reached.option
  const options = [...reached.command.options.flatMap(({ long }) => long ?? []), '--help']
  const answers = isOption ? options : await wordsFor(cli, reached, readIds)
  return [...new Set(answers)].filter((answer) => answer.startsWith(current))
}
