/**
 * Signals that log rotation and operators send to all kinds of processes, and whose default is to
 * end this one. They do nothing here; what SIGHUP means is added once there is something to read again.
 */
for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
