/** Host state: what hosts are asked to do, and which request to begin nothing new each has answered. */
export const quietKeys = { hostControl: 'host_control', quietHosts: 'quiet_hosts' } as const
