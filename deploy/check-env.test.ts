/** deploy/check-env.sh: a misspelled variable of .env is named, and what was meant. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryRoot } from '../tools/rig/temporary-root.ts';

function checked(t: TestContext, text: string, mode = 0o600) {
  const file = join(temporaryRoot(t), 'env');
  writeFileSync(file, text);
  chmodSync(file, mode);
  const { status, stdout, stderr } = spawnSync('sh', ['deploy/check-env.sh', file], {
    encoding: 'utf8',
  });
  return { status, said: (stdout + stderr).replaceAll(file, '.env') };
}

test('check-env: what is read by something is right, commented out or not', (t) => {
  const example = readFileSync('.env.example', 'utf8');
  const right = '.env: every variable is one that something reads\n';
  for (const text of [
    example,
    example.replaceAll(/^#(?=[A-Z_]+=)/gm, ''),
    'COMPOSE_PROJECT_NAME=x\nDOCKER_HOST=y\n# REDIS_ULR=x\n\n  export REDIS_URL = redis://a\r\n',
    '',
  ]) {
    assert.deepEqual(checked(t, text), { status: 0, said: right });
  }
});

test('check-env: a misspelled name is named with what was meant, and no value is shown', (t) => {
  const { status, said } = checked(
    t,
    [
      'DISCORD_WEBHOK_URL=https://s3cret',
      'redis_url=redis://:s3cret@h',
      'REDIS_ULR=redis://:s3cret@h',
      'FROBNICATE=s3cret',
      '-----BEGIN s3cret=',
      "SMTP_PASSWORD='right'",
    ].join('\n'),
  );
  assert.equal(status, 1);
  assert.deepEqual(said.split('\n'), [
    'line 1: DISCORD_WEBHOK_URL: nothing reads it; is DISCORD_WEBHOOK_URL meant?',
    'line 2: redis_url: nothing reads it; is REDIS_URL meant?',
    'line 3: REDIS_ULR: nothing reads it; is REDIS_URL meant?',
    'line 4: FROBNICATE: nothing reads it',
    'line 5: expected NAME=VALUE (not shown)',
    '',
  ]);
});

test('check-env: others may not read it, and it has to be there', (t) => {
  const open = checked(t, 'REDIS_URL=redis://a\n', 0o644);
  assert.equal(open.status, 1);
  assert.match(open.said, /may be read by others \(mode 644\), and holds secrets: chmod 600/);
  const none = spawnSync('sh', ['deploy/check-env.sh', '/nonexistent/env'], { encoding: 'utf8' });
  assert.equal(none.status, 2);
  assert.match(none.stderr, /cannot be read: install -m 600 \.env\.example \.env/);
});
