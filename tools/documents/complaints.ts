/**
 * What programs say on a machine that lacks what they are for. A command of a document may say this
 * and nothing else: a misspelled option, a file that is not there, a wrong address are told.
 */

/** Not on every machine; the line goes on without it. */
const programs = 'asynq|docker|iostat|journalctl|ping|systemctl';

const known: readonly RegExp[] = [
  new RegExp(`^sh: \\d+: (?:${programs}): not found$`),
  new RegExp(`^sh: line \\d+: (?:${programs}): command not found$`),
  new RegExp(`^timeout: failed to run command ['‘](?:${programs})['’]: No such file or directory$`),
  /^System has not been booted with systemd as init system \(PID 1\)\. Can't operate\.$/,
  /^Failed to connect to bus: /,
  /^Unit \S+ could not be found\.$/,
  /^No journal files were (?:found|opened due to insufficient permissions)\.$/,
  /^Hint: You are currently not seeing messages from other users/,
  /^ +(?:Users in groups|Pass -q to turn off)/,
  /^(?:ERROR: |error during connect: )?(?:Cannot connect to|failed to connect to|permission denied while trying to connect to) the docker (?:daemon|API)/i,
  /^(?:Error response from daemon|Error): No such (?:container|object): /,
  /^docker: unknown command: docker compose$/,
  /^Run 'docker --help' for more information$/,
  /^no configuration file provided: not found$/,
  /^(?:dmesg|ssh): .*Operation not permitted$/,
  /^cat: \/proc\/pressure\/\S+: (?:No such file or directory|Operation not supported)$/,
  /^cat: '?\/proc\/pressure\/\*'?: No such file or directory$/,
  /^cat: \/sys\/kernel\/mm\/transparent_hugepage\/enabled: No such file or directory$/,
  /^df: \/var\/lib\/docker: No such file or directory$/,
  /^ls: cannot access '\/dev\/kmsg': No such file or directory$/,
  /^sysctl: (?:cannot stat|permission denied on key) .*kernel.(?:hung_task_warnings|dmesg_restrict)/,
];

/** Lines of standard error that are none of these. */
export const unexplained = (err: string): string[] =>
  err.split('\n').filter((line) => line.trim() !== '' && !known.some((one) => one.test(line)));
