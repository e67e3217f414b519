/**
 * `npm run fuzz -- [--seed N] [--seconds S] [--only http,redis,proc,kmsg]`: plays every side of the
 * exporter's world badly and says what did not hold. The same seed makes the same attacks; when
 * each falls is up to the machine. Without a seed, another one each time. Exit code 1 when a limit
 * did not hold.
 */
import { parseArgs } from 'node:util';
import { inScope } from '../bench/figures.ts';
import { fuzz, type Side, sides } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    seconds: { type: 'string', default: '60' },
    only: { type: 'string', default: sides.join(',') },
  },
});

function refuse(text: string): never {
  console.error(text);
  process.exit(2);
}

const seed = Number(values.seed);
const seconds = Number(values.seconds);
if (!Number.isInteger(seed) || seed < 0)
  refuse(`--seed: expected a whole number, got ${values.seed}`);
if (!(seconds > 0)) refuse(`--seconds: expected a number above 0, got ${values.seconds}`);
const only = values.only.split(',').map((name): Side => {
  const side = sides.find((one) => one === name);
  return side ?? refuse(`--only: no side ${JSON.stringify(name)}; there are ${sides.join(', ')}`);
});

await inScope(async (scope) => {
  console.log(`seed ${seed}, ${seconds} s, ${only.join(', ')}`);
  const { violations, summary } = await fuzz(scope, { seed, seconds, only });
  console.log(summary);
  for (const violation of violations) console.log(`did not hold: ${violation}`);
  if (violations.length > 0) process.exitCode = 1;
});
