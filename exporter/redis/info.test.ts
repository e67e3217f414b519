import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { infoFieldFamilies, infoFieldMetrics } from './info-fields.ts';
import { createCommandTable, createKeyspaceTable, instanceFamily } from './info-tables.ts';
import { commandStatsOf, keyspaceOf, numberOf, parseInfo, statusOf } from './info.ts';

const fixtures = new URL('../fixtures/info/', import.meta.url);
const servers = readdirSync(fixtures).filter((name) => name.endsWith('.txt'));

/** Only there while the append-only file is on. */
const withAofOnly = ['redis_aof_pending_bio_fsync', 'redis_aof_delayed_fsync'];

for (const server of servers) {
  test(`info: ${server} gives every field`, () => {
    const info = parseInfo(readFileSync(new URL(server, fixtures), 'utf8'));
    const there = new Set(infoFieldFamilies(info).map(({ metric }) => metric.name));
    const missing = infoFieldMetrics.map(({ name }) => name).filter((name) => !there.has(name));
    assert.deepEqual(missing, withAofOnly);
    assert.deepEqual(keyspaceOf(info), [{ db: 'db0', keys: 1, expires: 1 }]);
    assert.equal(commandStatsOf(info).find(({ cmd }) => cmd === 'set')?.calls, 1);
    assert.ok(commandStatsOf(info).every(({ usec }) => usec > 0));
    const labels = instanceFamily(info).samples[0]?.labels ?? {};
    assert.equal(labels['redis_mode'], 'standalone');
    assert.equal(labels['role'], 'master');
    assert.equal(labels['valkey_version'] !== '', server.startsWith('valkey'));
  });
}

test('info: exact values and units', () => {
  const text = 'latest_fork_usec:12500\r\nused_cpu_sys:1.250000\r\nrdb_last_bgsave_status:err\r\n';
  assert.deepEqual(
    infoFieldFamilies(parseInfo(text)).map(({ metric, samples }) => [
      metric.name,
      metric.type,
      samples[0]?.value,
    ]),
    [
      ['redis_rdb_last_bgsave_status', 'gauge', 0],
      ['redis_latest_fork_usec', 'gauge', 12_500],
      ['redis_latest_fork_seconds', 'gauge', 0.0125],
      ['redis_cpu_sys_seconds_total', 'counter', 1.25],
    ],
  );
});

test('info: other line ends, sections missing, fields of KeyDB and Dragonfly, nan', () => {
  const text = [
    '# Server\nredis_version:7.4.0\ndragonfly_version:df-v1.40.1\r\nconfig_file:C:\\a:b\n',
    '# Keyspace\nstorage_provider:none\ndb3:keys=7,expires=2,avg_ttl=-1\n\n#\nno colon here\n',
    'mem_fragmentation_ratio:-nan\nmodule:name=a\nmodule:name=b',
  ].join('');
  const info = parseInfo(text);
  assert.equal(info.get('config_file'), 'C:\\a:b');
  assert.equal(info.get('module'), 'name=a');
  assert.deepEqual(keyspaceOf(info), [{ db: 'db3', keys: 7, expires: 2 }]);
  assert.equal(numberOf(info, 'mem_fragmentation_ratio'), Number.NaN);
  assert.equal(numberOf(info, 'used_memory'), undefined);
  assert.deepEqual(commandStatsOf(parseInfo('# Commandstats\r\n')), []);
});

const bad = (field: string, value: string) => parseInfo(`${field}:${value}\r\n`);
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

test('info: what is no number or no status names its field', () => {
  assert.throws(
    () => infoFieldFamilies(bad('used_memory', '12kB')),
    /INFO: used_memory is "12kB", expected a number/,
  );
  assert.throws(() => numberOf(bad('loading', ''), 'loading'), /loading is "", expected a number/);
  assert.throws(() => numberOf(bad('a', '0x10'), 'a'), /a is "0x10"/);
  assert.throws(() => numberOf(bad('a', 'toString'), 'a'), /a is "toString"/);
  assert.throws(
    () => statusOf(bad('aof_last_write_status', 'constructor'), 'aof_last_write_status'),
    /aof_last_write_status is "constructor", expected ok or err/,
  );
  assert.throws(() => keyspaceOf(bad('db0', 'keys=1')), /db0 is "keys=1", expected expires=/);
  assert.throws(
    () => commandStatsOf(bad('cmdstat_get', 'calls=x,usec=1')),
    /calls of cmdstat_get is "x", expected a number/,
  );
  assert.throws(() => parseInfo('<html>no</html>'), /INFO: unexpected text "<html>no<\/html>"/);
});

test('info: no text makes the parser invent a number', () => {
  const field = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/);
  fc.assert(
    fc.property(field, fc.string(), (name, value) => {
      const line = value.split(/\r?\n/)[0] ?? '';
      const info = parseInfo(`# S\r\n${name}:${value}\r\n`);
      try {
        const number = numberOf(info, name);
        assert.ok(number === Number(line) || /^(-?nan|inf)$/.test(line));
      } catch (error) {
        assert.match(String(error), new RegExp(`INFO: ${name} is `));
      }
    }),
  );
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.string(), (calls, usec, cmd) => {
      fc.pre(!/[\r\n:]/.test(cmd));
      const info = parseInfo(`cmdstat_${cmd}:calls=${calls},usec=${usec},usec_per_call=1.00\r\n`);
      assert.deepEqual(commandStatsOf(info), [{ cmd, calls, usec }]);
    }),
  );
});

test('info: databases stay once they held keys; the first and the configured are always there', () => {
  const table = createKeyspaceTable([0, 3]);
  const keys = (text: string) =>
    table(parseInfo(text))[0]?.samples.map(
      ({ labels, value }) => `${labels['db']} ${Number(value)}`,
    );
  assert.deepEqual(keys('a:b'), ['db0 0', 'db3 0']);
  assert.deepEqual(keys('db7:keys=5,expires=0'), ['db0 0', 'db3 0', 'db7 5']);
  assert.deepEqual(keys('db0:keys=1,expires=0'), ['db0 1', 'db3 0', 'db7 0']);
  const many = Array.from({ length: 99 }, (_, i) => `db${i}:keys=1,expires=0`).join('\r\n');
  assert.equal(keys(many)?.length, 32);
});

const calls = fc.dictionary(
  fc.constantFrom(...Array.from({ length: 60 }, (_, i) => `c${i}`)),
  fc.nat(1000),
);

test('info: commands never go back, whatever comes when, and their sum is what Redis counted', () => {
  fc.assert(
    fc.property(fc.array(calls, { maxLength: 12 }), (steps) => {
      const table = createCommandTable();
      const raw = new Map<string, number>();
      let before = new Map<string, number>();
      for (const step of steps) {
        for (const [cmd, more] of Object.entries(step)) raw.set(cmd, (raw.get(cmd) ?? 0) + more);
        const text = [...raw].map(([cmd, n]) => `cmdstat_${cmd}:calls=${n},usec=${n * 2}`);
        const [counts, seconds] = table(parseInfo(`# Commandstats\r\n${text.join('\r\n')}`));
        const now = new Map(
          counts?.samples.map(({ labels, value }) => [labels['cmd'] ?? '', Number(value)]),
        );
        assert.ok(now.size <= 41 && now.has('other'));
        for (const [cmd, value] of before) assert.ok((now.get(cmd) ?? -1) >= value, cmd);
        assert.equal(sum(now.values()), sum(raw.values()));
        const total = sum(seconds?.samples.map(({ value }) => Number(value)) ?? []);
        assert.ok(Math.abs(total * 1e6 - 2 * sum(raw.values())) < 1);
        before = now;
      }
    }),
  );
});

test('info: of many commands the most called get a name', () => {
  const text = Array.from({ length: 50 }, (_, i) => `cmdstat_c${i}:calls=${i},usec=0`).join('\n');
  const [counts] = createCommandTable()(parseInfo(text));
  const names = counts?.samples.map(({ labels }) => labels['cmd']);
  assert.deepEqual(names?.slice(0, 2), ['c49', 'c48']);
  assert.deepEqual(counts?.samples.at(-1), { labels: { cmd: 'other' }, value: 45 });
});
