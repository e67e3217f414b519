/** tools/install-packages.sh: what it installs for the tests is neither started nor enabled, and what was stays. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryRoot } from './rig/temporary-root.ts';

const policy = 'usr/sbin/policy-rc.d';
const wants = 'etc/systemd/system/multi-user.target.wants';

/** As Debian's packages do: a start if it is allowed, a link for systemd, one for sysvinit, an alias. */
const aptGet = `#!/bin/sh
[ "$1" = install ] || exit 0
sh "$STEALWATCH_ROOT/${policy}" redis-server start
[ $? = 101 ] || echo started >>"$STEALWATCH_ROOT/log"
cd "$STEALWATCH_ROOT/etc"
ln -sf /lib/systemd/system/redis-server.service systemd/system/multi-user.target.wants/redis-server.service
ln -sf /lib/systemd/system/redis-server.service systemd/system/redis.service
ln -s ../init.d/redis-server rc2.d/S01redis-server
for last; do :; done
[ "$last" != unknown ]
`;
const updateRc = `#!/bin/sh
[ "$2" = disable ] && mv "$STEALWATCH_ROOT/etc/rc2.d/S01$1" "$STEALWATCH_ROOT/etc/rc2.d/K01$1"
`;

function installed(t: TestContext, name: string, prepare: (root: string) => void = () => {}) {
  const root = temporaryRoot(t);
  for (const folder of ['bin', 'usr/sbin', wants, 'etc/rc2.d']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const [program, text] of [
    ['apt-get', aptGet] as const,
    ['update-rc.d', updateRc] as const,
  ]) {
    writeFileSync(join(root, 'bin', program), text);
    chmodSync(join(root, 'bin', program), 0o755);
  }
  prepare(root);
  const { status, stderr } = spawnSync('sh', ['tools/install-packages.sh', 'openssl', name], {
    encoding: 'utf8',
    env: { PATH: `${join(root, 'bin')}:${process.env['PATH']}`, STEALWATCH_ROOT: root },
  });
  return { root, status, stderr, etc: globSync('etc/**/*[0-9a-z]', { cwd: root }).sort() };
}

const folders = [wants, 'etc/rc2.d', 'etc/systemd', 'etc/systemd/system'];

for (const [name, status] of [
  ['redis-server', 0],
  ['unknown', 1],
] as const) {
  test(`install-packages: nothing is started or enabled where it ends with ${status}`, (t) => {
    const ran = installed(t, name);
    assert.equal(ran.status, status, ran.stderr);
    assert.ok(!existsSync(join(ran.root, 'log')), 'started');
    assert.deepEqual(ran.etc, [...folders, 'etc/rc2.d/K01redis-server'].sort());
    assert.ok(!existsSync(join(ran.root, policy)));
  });
}

test('install-packages: what was enabled stays so, and who had a policy has it again', (t) => {
  const ran = installed(t, 'redis-server', (root) => {
    symlinkSync('/lib/systemd/system/x.service', join(root, wants, 'redis-server.service'));
    symlinkSync('/lib/systemd/system/y.service', join(root, wants, 'other.service'));
    writeFileSync(join(root, policy), '#!/bin/sh\nexit 0\n');
  });
  assert.equal(ran.status, 0, ran.stderr);
  assert.ok(!existsSync(join(ran.root, 'log')), 'started');
  assert.deepEqual(
    ran.etc,
    [
      ...folders,
      'etc/rc2.d/K01redis-server',
      `${wants}/redis-server.service`,
      `${wants}/other.service`,
    ].sort(),
  );
  assert.equal(readFileSync(join(ran.root, policy), 'utf8'), '#!/bin/sh\nexit 0\n');
  assert.deepEqual(globSync('usr/sbin/*', { cwd: ran.root }), [policy]);
});
