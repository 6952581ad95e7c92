import type { Options } from 'tsup'

export const node: Options = {
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  clean: ['dist/**/*.js', 'dist/**/*.js.map'],
  removeNodeProtocol: false,
  silent: true,
}
