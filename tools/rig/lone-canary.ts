/** A canary alone in a process: prints what it knows as one JSON line, four times a second. */
import { startCanary } from '../../exporter/canary/thread.ts';

const [mib, seconds] = process.argv.slice(2).map(Number);
const canary = startCanary((mib ?? 16) * 1024 * 1024, [{ age: '2m', seconds: seconds ?? 1 }]);
setInterval(() => process.stdout.write(`${JSON.stringify(canary.read())}\n`), 250);
