import type { PromptForm } from './command-line.ts'

/** How a program in the field is run without a person: the documented non-interactive mode of each, as of November 2026. */
export interface Preset {
  /** Its vector; the configuration's `args` follow. */
  readonly command: readonly string[]
  readonly prompt: PromptForm
  /** Names of the host's variables that it may inherit: how it signs in, where its settings lie. */
  readonly env: readonly string[]
  /** Set for it unless the host has them. */
  readonly variables: Readonly<Record<string, string>>
}

/** Ways to the network that the programs below all know. */
const network = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]

/**
 * Each may change files in its working folder and write its summary, and is asked nothing. Commands run in the sandbox
 * of codex; what else the others may run is said with `args` (`--allowedTools`, `--approval-mode`, `--allow-tool`).
 */
export const presets = {
  // --add-dir takes as many folders as follow it, so an option comes next.
  claude: {
    command: ['claude', '--add-dir', '{completion_folder}', '-p', '--permission-mode', 'acceptEdits'],
    prompt: 'stdin',
    env: [
      'ANTHROPIC_API_KEY',
      'ANTHROPIC_AUTH_TOKEN',
      'ANTHROPIC_BASE_URL',
      'ANTHROPIC_MODEL',
      'CLAUDE_CODE_OAUTH_TOKEN',
      'CLAUDE_CONFIG_DIR',
      ...network,
    ],
    variables: {},
  },
  // Without a prompt among its arguments it reads one from standard input. A workspace need not be a repository.
  codex: {
    command: [
      'codex',
      'exec',
      '--sandbox',
      'workspace-write',
      '--skip-git-repo-check',
      '--add-dir',
      '{completion_folder}',
    ],
    prompt: 'stdin',
    env: ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'CODEX_API_KEY', 'CODEX_ACCESS_TOKEN', 'CODEX_HOME', ...network],
    variables: {},
  },
  // In a folder that nobody trusted it changes nothing, and asks nobody: naming the workspace in nexus.yaml is the trust.
  gemini: {
    command: ['gemini', '--approval-mode', 'auto_edit', '--include-directories', '{completion_folder}'],
    prompt: 'stdin',
    env: [
      'GEMINI_API_KEY',
      'GEMINI_MODEL',
      'GEMINI_CLI_HOME',
      'GEMINI_CLI_TRUST_WORKSPACE',
      'GOOGLE_API_KEY',
      'GOOGLE_APPLICATION_CREDENTIALS',
      'GOOGLE_CLOUD_PROJECT',
      'GOOGLE_CLOUD_LOCATION',
      'GOOGLE_GENAI_USE_VERTEXAI',
      ...network,
    ],
    variables: { GEMINI_CLI_TRUST_WORKSPACE: 'true' },
  },
  // The second folder is for a prompt too long for an argument: then it reads the file.
  copilot: {
    command: [
      'copilot',
      '-p',
      '{prompt}',
      '--allow-tool=write',
      '--no-ask-user',
      '--add-dir={completion_folder}',
      '--add-dir={prompt_folder}',
    ],
    prompt: 'argument',
    env: ['COPILOT_GITHUB_TOKEN', 'GH_TOKEN', 'GITHUB_TOKEN', 'GH_HOST', 'COPILOT_HOME', 'COPILOT_MODEL', ...network],
    variables: {},
  },
} as const satisfies Record<string, Preset>

export type PresetName = keyof typeof presets
export const presetNames = Object.keys(presets) as PresetName[]
