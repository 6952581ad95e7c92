import { dirname } from 'node:path'

/**
 * How an agent gets its prompt. `stdin`: on standard input. `argument`: as one argument. `file`: in a file that it is
 * told the place of. `none`: not at all. In each form `NEXUS_PROMPT_FILE` names the file.
 */
export const promptForms = ['stdin', 'argument', 'file', 'none'] as const
export type PromptForm = (typeof promptForms)[number]

/** An argument vector, or a line for `/bin/sh -c`. */
export type Command = readonly string[] | string

/** What may stand in an argument vector and is put in at the launch. A shell has variables for the same. */
const placeholder = /\{(prompt|prompt_file|prompt_folder|completion_folder)\}/g

/** Linux takes no single argument of more than 32 pages, its final NUL included (MAX_ARG_STRLEN in execve(2)). */
const maxArgumentBytes = 32 * 4096 - 1

const holds = (command: Command, name: string): boolean =>
  typeof command !== 'string' && command.some((argument) => argument.includes(`{${name}}`))

/** The form that a command shows by its placeholders. */
export const promptFormOf = (command: Command): PromptForm => {
  if (holds(command, 'prompt')) return 'argument'
  return holds(command, 'prompt_file') ? 'file' : 'stdin'
}

/** Why a command cannot get its prompt in this form, with what to write instead; null where it can. */
export const promptProblem = (command: Command, form: PromptForm): string | null => {
  if (typeof command !== 'string') {
    if (form !== 'argument' && holds(command, 'prompt'))
      return `{prompt} stands for the prompt as an argument, and "prompt: ${form}" says otherwise. Remove one of the two.`
    return null
  }
  const found = command.match(placeholder)?.[0]
  if (found === '{prompt}')
    return 'a line for the shell gets the prompt as "$1": write "$1", with its quotes, for {prompt}, and prompt: argument.'
  if (found === '{prompt_file}') return 'a line for the shell has the file in a variable: write "$NEXUS_PROMPT_FILE".'
  if (form === 'argument' && !/\$(1|\{1|[@*])/.test(command))
    return 'the line gets the prompt as "$1" and does not use it. Write "$1", with its quotes, where the prompt belongs.'
  return null
}

export interface PromptPlaces {
  readonly prompt: string
  /** Absolute; holds the prompt, also where it comes another way. */
  readonly promptFile: string
  /** Absolute; the folder of it is what `{completion_folder}` means. */
  readonly completionFile: string | undefined
}

const filled = (command: readonly string[], prompt: string, { promptFile, completionFile }: PromptPlaces): string[] => {
  const values: Readonly<Record<string, string>> = {
    prompt,
    prompt_file: promptFile,
    prompt_folder: dirname(promptFile),
    completion_folder: completionFile === undefined ? '.' : dirname(completionFile),
  }
  // In one go: a prompt that speaks of placeholders stays as it is.
  return command.map((argument) => argument.replace(placeholder, (whole, name: string) => values[name] ?? whole))
}

/** The vector that hands the prompt over as an argument; a shell gets it as `$1`, and never as part of its line. */
const withArgument = (command: Command, prompt: string, places: PromptPlaces): string[] => {
  if (typeof command === 'string') return ['/bin/sh', '-c', command, '/bin/sh', prompt]
  return filled(holds(command, 'prompt') ? command : [...command, '{prompt}'], prompt, places)
}

const fits = (argument: string): boolean => !argument.includes('\0') && Buffer.byteLength(argument) <= maxArgumentBytes

/** The command as it is started, and what its standard input is. A prompt that fits no argument becomes a line that names its file. */
export const commandLine = (
  command: Command,
  form: PromptForm,
  places: PromptPlaces,
): { command: Command; stdin: 'prompt' | 'none' } => {
  const stdin = form === 'stdin' ? 'prompt' : 'none'
  if (form === 'argument') {
    const whole = withArgument(command, places.prompt, places)
    if (whole.every(fits)) return { command: whole, stdin }
    return { command: withArgument(command, `Read the file ${places.promptFile} and do what it says.`, places), stdin }
  }
  return { command: typeof command === 'string' ? command : filled(command, '', places), stdin }
}
