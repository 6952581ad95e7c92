export type { HostConfig } from './config/host-config.ts'
export { readHostConfig } from './config/read.ts'
export { type Host, type HostEnd, type HostMailboxes, type HostOptions, openHost } from './host.ts'
export type { Timing } from './loop/timing.ts'
