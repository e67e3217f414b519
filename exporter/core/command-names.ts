/** The words after `stealwatch` that do something once and end. The launcher (exporter/stealwatch) knows them too. */
export const commandNames = ['doctor', 'files', 'report', 'rescue', 'status'] as const;
