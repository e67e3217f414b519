import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Family } from '../core/collector.ts';
import { infoFieldFamilies, infoFieldMetrics } from './info-fields.ts';
import { createCommandTable, createKeyspaceTable, instanceFamily } from './info-tables.ts';
import { commandStatsOf, keyspaceOf, numberOf, parseInfo, statusOf } from './info.ts';
import { replicationFields } from './replication-fields.ts';
import { createReplies } from './replies.ts';
import { shownLabelValue, textOfBytes } from '../core/label-value.ts';
import { linear } from '../../tools/rig/linear.ts';

const fixtures = new URL('../fixtures/info/', import.meta.url);
const servers = readdirSync(fixtures).filter((name) => name.endsWith('.txt'));

/** What is read must be readable. */
const fail = (problem: Error): never => {
  throw problem;
};
const ignore = () => undefined;
const problem = (rows: { readonly problem?: Error }) => rows.problem?.message ?? '';
const many = (count: number) =>
  Array.from({ length: count }, (_, i) => `db${i}:keys=1,expires=0`).join('\r\n');

/** Only there while the append-only file is on, and on a replica. */
const notAlways = [
  'redis_aof_pending_bio_fsync',
  'redis_aof_delayed_fsync',
  ...replicationFields.map(({ metric }) => metric.name),
];

for (const server of servers) {
  test(`info: ${server} gives every field`, () => {
    const info = parseInfo(readFileSync(new URL(server, fixtures), 'utf8'));
    const there = new Set(infoFieldFamilies(info, fail).map(({ metric }) => metric.name));
    const missing = infoFieldMetrics.map(({ name }) => name).filter((name) => !there.has(name));
    assert.deepEqual(missing.sort(), notAlways.toSorted());
    assert.deepEqual(keyspaceOf(info), { rows: [{ db: 'db0', keys: 1, expires: 1 }], odd: [] });
    const { rows } = commandStatsOf(info);
    assert.equal(rows.find(({ cmd }) => cmd === 'set')?.calls, 1);
    assert.ok(rows.every(({ usec }) => usec > 0));
    const labels = instanceFamily(info).samples[0]?.labels ?? {};
    assert.equal(labels['redis_mode'], 'standalone');
    assert.equal(labels['role'], 'master');
    assert.equal(labels['valkey_version'] !== '', server.startsWith('valkey'));
  });
}

test('info: exact values and units', () => {
  const text = 'latest_fork_usec:12500\r\nused_cpu_sys:1.250000\r\nrdb_last_bgsave_status:err\r\n';
  assert.deepEqual(
    infoFieldFamilies(parseInfo(text), fail).map(({ metric, samples }) => [
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
  assert.deepEqual(keyspaceOf(info).rows, [{ db: 'db3', keys: 7, expires: 2 }]);
  assert.equal(numberOf(info, 'mem_fragmentation_ratio'), Number.NaN);
  assert.equal(numberOf(info, 'used_memory'), undefined);
  assert.deepEqual(commandStatsOf(parseInfo('# Commandstats\r\n')).rows, []);
});

const bad = (field: string, value: string) => parseInfo(`${field}:${value}\r\n`);
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

test('info: what is no number or no status names its field', () => {
  assert.throws(
    () => infoFieldFamilies(bad('used_memory', '12kB'), fail),
    /INFO: used_memory is "12kB", expected a number/,
  );
  assert.throws(() => numberOf(bad('loading', ''), 'loading'), /loading is "", expected a number/);
  assert.throws(() => numberOf(bad('a', '0x10'), 'a'), /a is "0x10"/);
  assert.throws(() => numberOf(bad('a', 'toString'), 'a'), /a is "toString"/);
  assert.throws(
    () => statusOf(bad('aof_last_write_status', 'constructor'), 'aof_last_write_status'),
    /aof_last_write_status is "constructor", expected ok or err/,
  );
  assert.throws(() => numberOf(bad('a', '9'.repeat(400)), 'a'), /a is "9{80}", expected/);
  assert.equal(numberOf(bad('a', '1.5e+03'), 'a'), 1500);
  assert.match(problem(keyspaceOf(bad('db0', 'keys=1'))), /db0 is "keys=1", expected expires=/);
  assert.match(
    problem(commandStatsOf(bad('cmdstat_get', 'calls=x,usec=1'))),
    /calls of cmdstat_get is "x", expected a number/,
  );
  assert.match(
    problem(commandStatsOf(bad('cmdstat_get', 'calls=-1,usec=1'))),
    /cmdstat_get is "calls=-1,usec=1", expected counts/,
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
      assert.deepEqual(commandStatsOf(info).rows, [{ cmd: shownLabelValue(cmd), calls, usec }]);
    }),
  );
});

test('info: databases stay once they held keys; the first and the configured are always there', () => {
  const table = createKeyspaceTable([0, 3]);
  const keys = (text: string) =>
    table(parseInfo(text), fail)[0]?.samples.map(
      ({ labels, value }) => `${labels['db']} ${Number(value)}`,
    );
  assert.deepEqual(keys('a:b'), ['db0 0', 'db3 0']);
  assert.deepEqual(keys('db7:keys=5,expires=0'), ['db0 0', 'db3 0', 'db7 5']);
  assert.deepEqual(keys('db0:keys=1,expires=0'), ['db0 1', 'db3 0', 'db7 0']);
  assert.equal(keys(many(256))?.length, 256);
  // No key is left out of the sum, and what has been shown stays.
  assert.deepEqual(keys(many(300))?.slice(255), ['db255 1', 'other 44']);
  assert.equal(keys(many(10))?.at(-1), 'other 0');
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
        const [counts, seconds] = table(parseInfo(`# Commandstats\r\n${text.join('\r\n')}`), fail);
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
  const [counts] = createCommandTable()(parseInfo(text), fail);
  const names = counts?.samples.map(({ labels }) => labels['cmd']);
  assert.deepEqual(names?.slice(0, 2), ['c49', 'c48']);
  assert.deepEqual(counts?.samples.at(-1), { labels: { cmd: 'other' }, value: 45 });
});

const values = (families: readonly Family[]) =>
  new Map(
    families.flatMap(({ metric, samples }) =>
      samples.map(({ labels, value }) => [
        [metric.name, ...Object.values(labels)].join(' '),
        value,
      ]),
    ),
  );

test('info: an odd value costs itself; a count of -1 is none', () => {
  const text = [
    'used_memory:12kB',
    'maxmemory:5',
    'rejected_connections:-1',
    'expired_keys:many',
    'evicted_keys:3',
    'used_cpu_sys:nan',
    'aof_delayed_fsync:-1',
    'rdb_last_bgsave_time_sec:-1',
    'rdb_last_bgsave_status:perhaps',
  ].join('\r\n');
  const problems: string[] = [];
  const families = infoFieldFamilies(parseInfo(text), ({ message }) => problems.push(message));
  assert.deepEqual(
    [...values(families)],
    [
      ['redis_memory_used_bytes', Number.NaN],
      ['redis_memory_max_bytes', 5],
      ['redis_rdb_last_bgsave_status', Number.NaN],
      ['redis_rdb_last_bgsave_duration_sec', -1],
      ['redis_evicted_keys_total', 3],
    ],
  );
  assert.deepEqual(problems, [
    'INFO: used_memory is "12kB", expected a number',
    'INFO: rdb_last_bgsave_status is "perhaps", expected ok or err',
    'INFO: expired_keys is "many", expected a number',
  ]);
});

test('info: an odd row costs itself: a database is NaN, a command keeps what it had', () => {
  const databases = createKeyspaceTable([0]);
  const odd = 'db0:keys=x,expires=0\ndb1:keys=2,expires=1';
  assert.deepEqual(
    [...values(databases(parseInfo(odd), ignore))],
    [
      ['redis_db_keys db0', Number.NaN],
      ['redis_db_keys db1', 2],
      ['redis_db_keys_expiring db0', Number.NaN],
      ['redis_db_keys_expiring db1', 1],
    ],
  );
  const table = createCommandTable();
  const calls = (text: string, tell: (problem: Error) => void) =>
    values(table(parseInfo(text), tell).slice(0, 1));
  calls('cmdstat_get:calls=5,usec=1\ncmdstat_set:calls=2,usec=1', fail);
  const problems: string[] = [];
  const after = calls('cmdstat_get:calls=?,usec=1\ncmdstat_set:calls=3,usec=1', ({ message }) =>
    problems.push(message),
  );
  assert.equal(after.get('redis_commands_total get'), 5);
  assert.equal(after.get('redis_commands_total set'), 3);
  assert.deepEqual(problems, ['INFO: calls of cmdstat_get is "?", expected a number']);
});

test('info: names are names, however they read', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '7', 'other'];
  const text = names.map((name, i) => `cmdstat_${name}:calls=${i + 1},usec=0`).join('\n');
  const counts = values(createCommandTable()(parseInfo(text), fail).slice(0, 1));
  for (const [i, name] of names.entries()) {
    assert.equal(counts.get(`redis_commands_total ${name}`), i + 1, name);
  }
  assert.equal(numberOf(parseInfo('a:1'), '__proto__'), undefined);
  const spikes = createReplies()([[], 0, [], names.map((name) => [name, 1, 2])], fail);
  for (const name of names) {
    assert.equal(values(spikes).get(`redis_latency_spike_last ${name}`), 1, name);
  }
});

test('labels: cut at 200 bytes, with what is no text shown', () => {
  const info = parseInfo(`os:${'x'.repeat(1 << 20)}\r\nrole:mas\u0000ter\u001b[2J`);
  const labels = instanceFamily(info).samples[0]?.labels ?? {};
  assert.match(labels['os'] ?? '', /^x{187}~[0-9a-f]{12}$/);
  assert.match(labels['role'] ?? '', /^mas\\x00ter\\x1b\[2J~[0-9a-f]{12}$/);
  assert.equal(shownLabelValue('é'.repeat(100)), 'é'.repeat(100));
  assert.ok(Buffer.byteLength(shownLabelValue('é'.repeat(101))) <= 200);
  assert.doesNotMatch(shownLabelValue(`x${'é'.repeat(101)}`), /\uFFFD/);
  assert.equal(
    textOfBytes(Buffer.from('c3a9ff61c3e282ace282f09f9880', 'hex')),
    'é\\xffa\\xc3€\\xe2\\x82😀',
  );
  const long = ['a', 'b'].map((end) => [`${'e'.repeat(999)}${end}`, 1, 2]);
  const spikes = values(createReplies()([[], 0, [], long], fail));
  assert.ok([...spikes.keys()].every((name) => name.length < 250));
  const named = [...spikes.keys()].filter((name) => name.startsWith('redis_latency_spike_last '));
  assert.equal(named.length, 2, 'two long names stay two');
  const calls = long.map(([cmd], i) => `cmdstat_${cmd}:calls=${i + 1},usec=0`).join('\n');
  assert.equal(new Set(commandStatsOf(parseInfo(calls)).rows.map(({ cmd }) => cmd)).size, 2);
  const many = Array.from({ length: 99 }, (_, i) => [`event-${i}`, 1, 2]);
  assert.equal(createReplies()([[], 0, [], many], fail).at(-1)?.samples.length, 32);
});

test('replies: an odd one costs its own families', () => {
  const problems: string[] = [];
  const families = createReplies()(
    ['no list', 3, [['x']], [['event', 1, 2], 'odd']],
    ({ message }) => problems.push(message),
  );
  assert.deepEqual([...values(families).keys()], ['redis_slowlog_length']);
  assert.deepEqual(problems, [
    'CONFIG GET save: unexpected reply "no list"',
    'SLOWLOG GET: unexpected reply "object"',
    'LATENCY LATEST: unexpected reply "odd"',
  ]);
});

test('info: the time to read a text grows with its length and no faster', () => {
  const worst = [
    'db\n',
    'cmdstat_\n',
    'cmdstat_x:\n',
    'db1:keys=\n',
    'used_memory\n',
    ',',
    ':',
    'x',
    '\n',
    'db1:,',
  ];
  for (const piece of worst) {
    linear(JSON.stringify(piece), (bytes) => {
      const text = `a:1\n${piece.repeat(bytes / piece.length)}`;
      return () => {
        for (const read of [
          () => infoFieldFamilies(parseInfo(text), ignore),
          () => createKeyspaceTable([0])(parseInfo(text), ignore),
          () => createCommandTable()(parseInfo(text), ignore),
          () => [instanceFamily(parseInfo(text))],
        ]) {
          try {
            read();
          } catch (error) {
            assert.match(String(error), /INFO: /);
          }
        }
      };
    });
  }
});
