import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { readConfig } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readHostConfig } from '../src/config/read.ts'

const top = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string): string => readFileSync(join(top, 'deploy', path), 'utf8')
const manifest = JSON.parse(readFileSync(join(top, 'apps/host/package.json'), 'utf8')) as {
  bin: { 'nexus-host': string }
}
const program = join('apps/host', manifest.bin['nexus-host'])

interface Service {
  environment: Record<string, string>
  volumes: string[]
  ports: string[]
  build: { context: string; dockerfile: string }
}

describe('what deploy/ holds fits the programs', () => {
  test('the unit starts the program, spares its agents, and tries again what a restart may mend', () => {
    const unit = new Map(
      [...read('nexus-host.service').matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
    )
    expect(unit.get('ExecStart')).toBe(`/usr/bin/node /opt/nexus/${program} run --config /etc/nexus/nexus.yaml`)
    expect(unit.get('KillMode')).toBe('process')
    expect(unit.get('OOMPolicy')).toBe('continue')
    expect([unit.get('Restart'), unit.get('RestartPreventExitStatus')]).toEqual(['on-failure', '2 78'])
    const environment = (unit.get('Environment') ?? '').replaceAll(' ', '\n')
    expect(readConfig(parseEnv(environment) as Record<string, string>)).toMatchObject({
      dir: '/var/lib/nexus/root',
      log: { format: 'json' },
    })
  })

  test('its environment file, switched on, is one', () => {
    const on = read('nexus.env').replaceAll(/^# (NEXUS_\w+=)/gm, '$1')
    expect(readConfig(parseEnv(on) as Record<string, string>).routes.inbox.backend).toBe('postgres')
  })

  test('the compose file puts what nexus.yaml names where the image looks for it', () => {
    const { services, volumes } = parse(read('compose/compose.yaml')) as {
      services: { host: Service; postgres: Service }
      volumes: Record<string, unknown>
    }
    const { host, postgres } = services
    const dockerfile = read('Dockerfile')
    expect(existsSync(join(top, host.build.dockerfile))).toBe(true)
    expect(join(top, 'deploy/compose', host.build.context, '/')).toBe(top)
    expect(dockerfile).toContain(`ENTRYPOINT ["node", "/opt/nexus/${program}"]`)
    const config = readHostConfig(join(top, 'deploy/compose/nexus.yaml'))
    expect([...config.projects.keys()]).toEqual(['shop'])
    expect(host.volumes).toEqual(['root:/var/lib/nexus', './nexus.yaml:/work/nexus.yaml:ro', './shop:/work/shop'])
    expect(Object.keys(volumes)).toEqual(['postgres', 'root'])
    expect(postgres.volumes.map((volume) => volume.split(':')[0])).toEqual(['postgres'])
    expect(config).toMatchObject({ apiPort: 7420, apiListen: '0.0.0.0', apiHosts: ['host'] })
    expect(host.ports).toEqual(['127.0.0.1:7420:7420'])
    expect(dockerfile).toContain('http://127.0.0.1:7420/healthz')
    const filled = Object.entries(host.environment).map(([name, value]) => [name, value.replace(/\$\{\w+\}/, 'word')])
    expect(readConfig(Object.fromEntries(filled) as Record<string, string>).routes.inbox.backend).toBe('postgres')
  })
})
