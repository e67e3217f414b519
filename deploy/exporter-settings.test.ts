/**
 * A setting of the exporter reaches everything: who adds one to the table finds here, by name, what
 * it is still missing from. Flag, variable and help come from the table by themselves, docs/settings.md
 * by `npm run generate`.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { settings } from '../exporter/config/settings.ts';
import {
  allSettings,
  variableInEnv,
  variablesOf,
  withoutVariable,
} from '../tools/generate/settings.ts';

const example = readFileSync('.env.example', 'utf8');
const short = (variable: string) => variable.replace('STEALWATCH_', '');

/** What is said of every Redis is said of the watcher's targets too, and a log is a log. */
const ofProber = allSettings.filter(({ flag }) =>
  /^(?:redis-(?!url)|target$|log-level|agent-(?:token|user|password))/.test(flag),
);

/** Names it may have in .env: its own, or one that says whose it is. */
const names: Readonly<Record<string, (variable: string) => readonly string[]>> = {
  exporter: (variable) => [short(variable), `EXPORTER_${short(variable)}`],
  prober: (variable) => [
    `PROBER_${short(variable)}`,
    short(variable).replace('TARGETS', 'PROBES'),
    'EXPORTER_LOG_LEVEL',
  ],
};

/** What docker-compose.yml still has to say. */
function missing(service: string, settings: typeof allSettings): string[] {
  return settings.flatMap(variablesOf).flatMap((variable) => {
    const possible = names[service]?.(variable) ?? [];
    const given = variableInEnv(service, variable);
    if (given !== undefined && possible.includes(given)) return [];
    return `docker-compose.yml, environment of ${service}: add "${variable}: \${${possible[0]}:-}"`;
  });
}

test('a setting reaches docker-compose.yml, or tools/generate/settings.ts says why not', () => {
  const passed = allSettings.filter(({ flag }) => withoutVariable[flag] === undefined);
  assert.deepEqual(missing('exporter', passed), []);
  assert.deepEqual(missing('prober', ofProber), []);
  for (const flag of Object.keys(withoutVariable)) {
    const setting = allSettings.find((one) => one.flag === flag);
    assert.ok(setting, `withoutVariable in tools/generate/settings.ts: --${flag} is no setting`);
    const given = variablesOf(setting).map((name) => variableInEnv('exporter', name));
    assert.ok(!given.some(Boolean), `--${flag} is in docker-compose.yml and in withoutVariable`);
  }
});

test('a setting stands in .env.example with the default that the program has', () => {
  for (const setting of allSettings) {
    const [variable = ''] = variablesOf(setting);
    const name = variableInEnv('exporter', variable);
    // The bundle has a Redis of its own.
    if (name === undefined || setting.flag === 'redis-url') continue;
    const line = new RegExp(`^#${name}=(.*)$`, 'm').exec(example);
    const wanted = `#${name}=${setting.fallback}`;
    assert.ok(line, `.env.example: add "${wanted}", and above it what it is for`);
    if (setting.fallback !== '') assert.equal(line[0], wanted, '.env.example');
  }
});

test('a setting is read by something', () => {
  const code = globSync('exporter/**/*.ts')
    .filter((path) => !/\.test\.ts$|config\/settings\.ts$/.test(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  for (const name of Object.keys(settings)) {
    const read = `config\\.${name}\\b|\\{[^{}]*\\b${name}\\b[^{}]*\\} = config\\b|config: \\{ ${name}\\b`;
    assert.ok(new RegExp(read).test(code), `nothing in exporter/ reads config.${name}`);
  }
});
