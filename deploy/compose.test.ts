/** docker-compose.yml does what the exporter's own advice says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { handedIn } from '../exporter/procfs/handed-in.ts';

interface Service {
  readonly pid?: string;
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

test('compose: the exporter sees the host by its /proc, and shares no pid namespace', () => {
  const { services }: { services: Readonly<Record<string, Service>> } = parse(
    readFileSync('docker-compose.yml', 'utf8'),
    { merge: true },
  );
  const exporter = services['exporter'];
  assert.ok(exporter?.volumes?.includes(handedIn.volume) === true);
  assert.equal(exporter?.environment?.['STEALWATCH_PROCFS'], handedIn.procfs);
  for (const [name, { pid }] of Object.entries(services)) assert.notEqual(pid, 'host', name);
});
