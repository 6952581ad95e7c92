import { cursorOption, limitOption } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { CommandError } from '../cli/exit.ts'
import { linesOf } from '../cli/line.ts'
import { type Json, print } from '../cli/output.ts'
import { type Paging, sayMore } from '../cli/paging.ts'
import { withStores } from '../cli/with-stores.ts'
import { withGuard } from './guard.ts'
import { readKeys, readState, StateKeys, StatePatched, StateShown, StateWritten, valueText } from './state.ts'
import { editState, patchState, setState } from './state-write.ts'

const list = async (options: Json & Paging): Promise<void> => {
  const found = await withStores(({ stores }) => readKeys(stores, options))
  print(options, StateKeys, found, () => (found.keys.length > 0 ? found.keys : ['No keys.']))
  sayMore(found, options)
}

const get = async (key: string, options: Json): Promise<void> => {
  const found = await withStores(({ stores }) => readState(stores, key))
  if (!found) throw new CommandError('failed', `There is no key ${key}. See: nexus-admin state ls`)
  print(options, StateShown, found, () => linesOf(valueText(found.value)))
}

const collect = (text: string, before: string[] = []): string[] => [...before, text]

/** `nexus-admin state …`: the hosts' own values. */
export const addStateCommands = (cli: Cli): void => {
  cli.group('state', "The hosts' own values, one JSON document for each key.")
  cli
    .command(
      'state ls',
      {
        description: 'The keys, in byte order.',
        examples: ['nexus-admin state', 'nexus-admin state ls --limit 20 --json'],
        exits: { unreachable: true },
        prints: StateKeys,
      },
      { isDefault: true },
    )
    .addOption(limitOption(1000))
    .addOption(cursorOption())
    .action(list)
  cli
    .command('state get', {
      description: 'A value; with --json also its rev and when it was saved.',
      examples: ['nexus-admin state get tracked_issues', 'nexus-admin state get launched_agents --json'],
      exits: { failed: 'no such key', unreachable: true },
      prints: StateShown,
      completes: 'keys',
    })
    .argument('<key>', 'as the list shows it')
    .action(get)
  const refused = { failed: 'it stays as it is: somebody else changed it', unreachable: true } as const
  withGuard(
    cli
      .command('state set', {
        description: 'Replaces a whole value by the JSON of a file or of standard input.',
        examples: [
          'echo \'{"shop": 12}\' | nexus-admin state set issue_counters',
          'nexus-admin state set issue_counters counters.json --if-rev 0f3a',
        ],
        exits: refused,
        prints: StateWritten,
        completes: 'keys',
      })
      .argument('<key>', 'which value')
      .argument('[file]', 'JSON; - is standard input', '-'),
  ).action(setState)
  cli
    .command('state patch', {
      description: 'Sets and removes single members of a value; others may change other ones at the same time.',
      examples: [
        'nexus-admin state patch issue_counters --set shop=12 --remove old',
        'nexus-admin state patch issue_counters --from members.json',
      ],
      exits: { ...refused, failed: 'it stays as it is: it is no object, or others kept changing it' },
      prints: StatePatched,
      completes: 'keys',
    })
    .argument('<key>', 'which value')
    .option('--set <name=JSON>', 'a member and its value; again for each', collect)
    .option('--remove <name>', 'a member to take away; again for each', collect)
    .option('--from <file>', 'the members of a JSON object; - is standard input')
    .action(patchState)
  cli
    .command('state edit', {
      description: 'Opens a value in $VISUAL or $EDITOR, and saves it where nobody else changed it meanwhile.',
      examples: ['nexus-admin state edit issue_counters', 'EDITOR=nano nexus-admin state edit issue_counters'],
      exits: { ...refused, failed: 'nothing was changed, by you or because somebody else did meanwhile' },
      prints: StateWritten,
      completes: 'keys',
    })
    .argument('<key>', 'which value')
    .action(editState)
}
