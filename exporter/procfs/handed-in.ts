/**
 * How a container gets to see the processes of its host: what the reasons of unsupported signals
 * advise, and what docker-compose.yml does. docs/adr/0003 has why.
 */
export const handedIn = {
  volume: '/proc:/host/proc:ro',
  procfs: '/host/proc',
} as const;

export const handInProcesses = `${handedIn.volume} as a volume and STEALWATCH_PROCFS=${handedIn.procfs} (not pid: host, by which CAP_SYS_PTRACE would reach every process)`;
