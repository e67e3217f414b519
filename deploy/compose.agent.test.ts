/** deploy/compose.agent.yml: what docker-compose.yml runs as an agent, in a file that needs nothing beside it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { settings } from '../exporter/config/settings.ts';
import { composeFile, filledIn, variablesIn } from '../tools/rig/compose.ts';

const path = 'deploy/compose.agent.yml';
const bare = filledIn({}, path);
const agent = bare.services['stealwatch'] ?? {};
const checkout = filledIn({}).services['exporter'] ?? {};

test('agent: one service, from an image, in no profile, and no file beside it', () => {
  assert.deepEqual(Object.keys(bare.services), ['stealwatch']);
  for (const key of ['build', 'profiles', 'env_file', 'extends', 'configs', 'secrets']) {
    assert.ok(!(key in agent), key);
  }
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(agent.image, `ghcr.io/stealwatch/stealwatch:${version}`);
  for (const volume of agent.volumes ?? []) assert.match(volume, /^\//, 'a relative bind');
});

test('agent: nothing has to be set, and a Redis that nobody named is asked for', () => {
  const asked = variablesIn(readFileSync(path, 'utf8'));
  assert.deepEqual(
    asked.filter(({ fallback }) => fallback === undefined),
    [],
  );
  assert.equal(agent.environment?.['STEALWATCH_REDIS_URL'], 'unset');
  const networks = (bare as unknown as { networks: unknown }).networks;
  assert.deepEqual(networks, { redis: { name: 'coolify', external: true } });
});

test('agent: its settings are settings, under the names of docker-compose.yml', () => {
  const known = Object.values(settings).flatMap(({ variables }) => variables);
  const theirs = composeFile().services['exporter']?.environment ?? {};
  for (const [name, text] of Object.entries(
    composeFile(path).services['stealwatch']?.environment ?? {},
  )) {
    assert.ok(known.includes(name), name);
    assert.equal(variablesIn(text)[0]?.name, variablesIn(theirs[name] ?? '')[0]?.name, name);
  }
});

const rest = (service: object, without: readonly string[]) =>
  Object.fromEntries(Object.entries(service).filter(([key]) => !without.includes(key)));

test('agent: confined and bounded as the agent of a checkout', () => {
  const different = ['image', 'environment', 'volumes', 'networks', 'healthcheck'];
  const ofCheckout = ['build', 'profiles'];
  assert.deepEqual(rest(agent, different), rest(checkout, [...different, ...ofCheckout]));
  const { test: _, ...times } = checkout.healthcheck ?? {};
  assert.deepEqual(agent.healthcheck, times, "the command is the image's");
  assert.deepEqual(agent.volumes?.[0], checkout.volumes?.[0]);
});
