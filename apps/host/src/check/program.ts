import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import type { AgentConfig } from '../config/host-config.ts'

/** The program that a command starts with; null where a shell line begins with something else. */
export const programOf = ({ command }: Pick<AgentConfig, 'command'>): string | null => {
  if (typeof command !== 'string') return command[0] ?? null
  // Assignments may stand in front: A=1 program …
  return /^\s*(?:[A-Za-z_]\w*=\S*\s+)*([\w./+@-]+)/.exec(command)?.[1] ?? null
}

const isProgram = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/**
 * Where a program is found: by the shell for a plain word (what a shell does itself counts), else as a path, which is
 * relative to the workspace. Null where it is not found.
 */
export const findProgram = (program: string, workspaces: readonly string[]): string | null => {
  if (!program.includes('/')) {
    const { stdout } = spawnSync('/bin/sh', ['-c', 'command -v -- "$1"', 'sh', program], { encoding: 'utf8' })
    return stdout?.trim() || null
  }
  const places = isAbsolute(program) ? [program] : workspaces.map((workspace) => resolve(workspace, program))
  return places.length > 0 && places.every(isProgram) ? program : null
}
