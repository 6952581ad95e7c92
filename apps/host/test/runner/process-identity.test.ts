import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { currentProcess, formatIdentity, holderLiveness, liveness, parseIdentity } from '../../src/runner/index.ts'
import { identifyProcess } from '../../src/runner/process-identity.ts'

const here = currentProcess()

test('[C-INBOX-12] this process is alive, also when named by its text form', () => {
  expect(here).toMatchObject({
    pid: process.pid,
    bootId: expect.any(String),
    startTime: expect.stringMatching(/^\d+$/),
  })
  expect(liveness(here)).toBe('alive')
  expect(parseIdentity(formatIdentity(here))).toEqual(here)
  expect(holderLiveness(formatIdentity(here))).toBe('alive')
})

test('[C-INBOX-12] a process is dead after its end, and so is an earlier holder of its pid', async () => {
  const child = spawn('sleep', ['600'])
  const identity = identifyProcess(child.pid ?? 0)
  expect(liveness(identity)).toBe('alive')
  expect(liveness({ ...identity, startTime: '1' })).toBe('dead')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(liveness(identity)).toBe('dead')
})

test('[C-INBOX-12] a zombie is dead', async () => {
  // The shell becomes a program that never waits for the child it inherited.
  const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$; exec sleep 600" & exec sleep 600'])
  const [line] = await once(parent.stdout, 'data')
  const pid = Number(String(line))
  const identity = identifyProcess(pid)
  expect(liveness(identity)).toBe('alive')
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => liveness(identity)).toBe('dead')
  expect(process.kill(pid, 0)).toBe(true)
  parent.kill('SIGKILL')
})

test('[C-INBOX-12] another boot of this host is dead; another host or pid namespace is unknown, even with another boot', () => {
  expect(liveness({ ...here, bootId: 'other' })).toBe('dead')
  expect(liveness({ ...here, hostId: 'other' })).toBe('unknown')
  expect(liveness({ ...here, hostId: here.hostId.replace(/~[^~]*$/, '~1'), bootId: 'other' })).toBe('unknown')
  expect(liveness({ ...here, bootId: null })).toBe('alive')
  expect(liveness({ ...here, startTime: null })).toBe('alive')
})

test.each([
  '',
  'worker-1',
  'a/b/c',
  'host/boot/0/1',
  'host/boot/-1/1',
  'host/boot/12x/1',
  '//1/1',
  'h/b/1/1/1',
  'h/b/1/1\n',
])('[C-INBOX-12] a worker named %j says nothing about a process: unknown', (text) => {
  expect(parseIdentity(text)).toBeNull()
  expect(holderLiveness(text)).toBe('unknown')
})

test('[C-INBOX-12] what a platform does not tell is a dash and comes back as null', () => {
  const bare = { hostId: 'mac~0~-', bootId: null, pid: 7, startTime: null }
  expect(formatIdentity(bare)).toBe('mac~0~-/-/7/-')
  expect(parseIdentity('mac~0~-/-/7/-')).toEqual(bare)
})
