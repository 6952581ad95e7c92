/**
 * What a shell runs to complete a line: it asks `nexus-admin complete` with the words up to the cursor, and takes a line
 * for each answer as it is. No answer: file names.
 */
export const scripts = {
  bash: `_nexus_admin() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done \\
    < <(nexus-admin complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _nexus_admin nexus-admin
`,
  zsh: `#compdef nexus-admin
_nexus_admin() {
  local -a answers
  answers=("\${(@f)$(nexus-admin complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  answers=(\${answers:#})
  if (( \${#answers} )); then compadd -a answers; else _files; fi
}
if [[ "\${funcstack[1]}" = _nexus_admin ]]; then _nexus_admin "$@"; else compdef _nexus_admin nexus-admin; fi
`,
  fish: `function __nexus_admin
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  nexus-admin complete -- $words[2..-1] "$current" 2>/dev/null
end
complete -c nexus-admin -a '(__nexus_admin)'
`,
} as const
export type Shell = keyof typeof scripts
