import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { clientOf } from './client-address.ts';
import { createAuthenticator, type Decision } from './auth.ts';
import { openWebConfig, type WebConfig } from './config.ts';

/** Each name's own hash is `hash of PASSWORD`, so a test sees which hash was compared. */
const config: WebConfig = {
  ...openWebConfig,
  users: new Map([
    ['alice', 'hash of secret'],
    ['bob', 'hash of other'],
  ]),
  tokens: [createHash('sha256').update('a-token').digest()],
};

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

interface Comparison {
  readonly password: string;
  readonly hash: string;
  answer(): void;
}

/** Comparisons wait to be answered, so that a test sees the queue. */
function heldVerifier() {
  const comparisons: Comparison[] = [];
  let running = 0;
  let mostRunning = 0;
  return {
    comparisons,
    mostRunning: () => mostRunning,
    verify: async (password: string, hash: string) =>
      new Promise<boolean>((resolve) => {
        mostRunning = Math.max(mostRunning, ++running);
        comparisons.push({
          password,
          hash,
          answer() {
            running--;
            resolve(hash === `hash of ${password}`);
          },
        });
      }),
  };
}

const instant = async (password: string, hash: string) => hash === `hash of ${password}`;
const turnOfTheLoop = () => new Promise((resolve) => setTimeout(resolve, 5));

test('auth: nothing configured lets everyone in', async () => {
  const { check } = createAuthenticator(openWebConfig, { verify: instant });
  assert.equal(await check('', '1.2.3.4'), 'allowed');
});

test('auth: only what is right gets in', async () => {
  const { check } = createAuthenticator(config, { verify: instant, rest: 0 });
  const cases: [string, Decision][] = [
    [basic('alice', 'secret'), 'allowed'],
    [basic('bob', 'other'), 'allowed'],
    ['Bearer a-token', 'allowed'],
    ['bearer  a-token', 'allowed'],
    ['', 'refused'],
    [basic('alice', 'other'), 'refused'],
    [basic('alice', 'secret '), 'refused'],
    [basic('Alice', 'secret'), 'refused'],
    [basic('eve', 'secret'), 'refused'],
    [basic('', ''), 'refused'],
    ['Basic', 'refused'],
    ['Basic !!!!', 'refused'],
    [`Basic ${Buffer.from('alice').toString('base64')}`, 'refused'],
    ['Bearer', 'refused'],
    ['Bearer a-tokem', 'refused'],
    ['Bearer a-token x', 'refused'],
    [`Bearer ${createHash('sha256').update('a-token').digest('hex')}`, 'refused'],
    ['Digest username="alice"', 'refused'],
  ];
  for (const [header, verdict] of cases) {
    assert.equal(await check(header, '1.2.3.4'), verdict, header);
  }
});

test('auth: a password is compared once, right or wrong', async () => {
  let compared = 0;
  const { check, replace } = createAuthenticator(config, {
    rest: 0,
    verify: async (password, hash) => {
      compared++;
      return instant(password, hash);
    },
  });
  for (let i = 0; i < 5; i++) {
    assert.equal(await check(basic('alice', 'secret'), '1.2.3.4'), 'allowed');
    assert.equal(await check(basic('alice', 'guess'), '1.2.3.5'), 'refused');
  }
  assert.equal(compared, 2);
  replace({ ...config, users: new Map([['alice', 'hash of new']]) });
  assert.equal(await check(basic('alice', 'secret'), '1.2.3.4'), 'refused', 'no longer right');
  assert.equal(await check(basic('alice', 'new'), '1.2.3.4'), 'allowed');
});

test('auth: guesses do not push out what is known to be right', async () => {
  const { check } = createAuthenticator(config, { verify: instant, rest: 0 });
  await check(basic('alice', 'secret'), '1.2.3.4');
  for (let i = 0; i < 1000; i++) await check(basic('alice', `guess ${i}`), '9.9.9.9');
  assert.equal(check(basic('alice', 'secret'), '1.2.3.4'), 'allowed', 'answered at once');
});

test('auth: an unknown user costs a comparison, and its result lets nobody in', async () => {
  const held = heldVerifier();
  const { check } = createAuthenticator(config, { verify: held.verify, rest: 0 });
  const verdict = check(basic('eve', 'secret'), '1.2.3.4');
  await turnOfTheLoop();
  assert.deepEqual(
    held.comparisons.map(({ password, hash }) => [password, hash]),
    [['secret', 'hash of secret']],
  );
  held.comparisons[0]?.answer();
  assert.equal(await verdict, 'refused');
});

/** Answers every comparison in turn until the verdict is there. Resolves with how many it took. */
async function comparisonsUntil(
  { comparisons }: ReturnType<typeof heldVerifier>,
  verdict: Decision | Promise<Decision>,
): Promise<number> {
  const state = { done: false };
  void Promise.resolve(verdict).finally(() => (state.done = true));
  let answered = 0;
  for (let i = 0; i < 2000; i++) {
    await new Promise(setImmediate);
    if (state.done) break;
    if (comparisons.length > answered) comparisons[answered++]?.answer();
  }
  return answered;
}

test('auth: a flood of guesses delays a right password by one comparison', async () => {
  const held = heldVerifier();
  const { check } = createAuthenticator(config, { verify: held.verify, rest: 0 });
  const flood = Array.from({ length: 500 }, (_, i) => check(basic('eve', `${i}`), '9.9.9.9'));
  const right = check(basic('alice', 'secret'), '1.2.3.4');
  const refused = flood.slice(1, 430).map(async (verdict) => verdict);
  assert.ok((await Promise.all(refused)).every((verdict) => verdict === 'busy'));
  assert.equal(await comparisonsUntil(held, right), 2);
  assert.equal(await right, 'allowed');
  assert.equal(held.mostRunning(), 1);
});

test('auth: behind one address, who guesses for the same user does not keep the right one out', async () => {
  const held = heldVerifier();
  const { check } = createAuthenticator(config, { verify: held.verify, rest: 0 });
  for (let i = 0; i < 5; i++) void check(basic('alice', `guess ${i}`), '10.0.0.1');
  const right = check(basic('alice', 'secret'), '10.0.0.1');
  assert.ok((await comparisonsUntil(held, right)) <= 6, 'each password has its place');
  assert.equal(await right, 'allowed');
});

test('auth: a password that comes again goes first, from whichever address it is flooded', async () => {
  for (const [address, after] of [
    ['10.0.0.1', 5],
    ['10.0.0.1', 500],
    ['10.0.0.2', 500],
  ] as const) {
    const held = heldVerifier();
    const { check } = createAuthenticator(config, { verify: held.verify, rest: 0 });
    let guesses = 0;
    const flood = (n: number) => {
      for (let i = 0; i < n; i++) void check(basic('alice', `guess ${guesses++}`), address);
    };
    flood(100);
    const first = check(basic('alice', 'secret'), '10.0.0.1');
    flood(500);
    assert.equal(
      await Promise.race([first, turnOfTheLoop()]),
      address === '10.0.0.1' ? 'busy' : undefined,
    );
    const second = check(basic('alice', 'secret'), '10.0.0.1');
    flood(after);
    assert.equal(await comparisonsUntil(held, second), 2);
    assert.equal(await second, 'allowed');
  }
});

test('auth: forty addresses that guess delay the right password by a comparison each', async () => {
  const held = heldVerifier();
  const { check } = createAuthenticator(config, { verify: held.verify, rest: 0 });
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 40; i++) void check(basic('alice', `${round} ${i}`), `10.0.1.${i}`);
  }
  const right = check(basic('alice', 'secret'), '10.0.0.1');
  assert.equal(await comparisonsUntil(held, right), 41);
  assert.equal(await right, 'allowed');
});

test('auth: bcrypt compares 72 bytes, so a longer password is refused and not half compared', async () => {
  const text = 'é'.repeat(36);
  const long = { ...config, users: new Map([['alice', `hash of ${text}`]]) };
  const compared: string[] = [];
  const { check } = createAuthenticator(long, {
    rest: 0,
    verify: async (password, hash) => {
      compared.push(password);
      return hash === `hash of ${password.slice(0, 36)}`;
    },
  });
  assert.equal(await check(basic('alice', `${text}x`), '10.0.0.1'), 'refused');
  assert.equal(await check(basic('alice', `${text}\0`), '10.0.0.1'), 'refused');
  assert.deepEqual(compared, []);
  assert.equal(await check(basic('alice', text), '10.0.0.1'), 'allowed');
});

test('auth: behind one address, guessed names do not keep out those that exist', async () => {
  const held = heldVerifier();
  const { check } = createAuthenticator(config, { verify: held.verify, rest: 0 });
  void check(basic('admin', 'guess'), '10.0.0.1');
  const right = check(basic('alice', 'secret'), '10.0.0.1');
  const same = check(basic('alice', 'secret'), '10.0.0.1');
  for (const comparison of [0, 1]) {
    await turnOfTheLoop();
    held.comparisons[comparison]?.answer();
  }
  assert.deepEqual(await Promise.all([right, same]), ['allowed', 'allowed']);
  assert.equal(held.comparisons.length, 2, 'the same header twice is compared once');
});

test('auth: at most 64 wait, and a token waits for nobody', async () => {
  const held = heldVerifier();
  const { check } = createAuthenticator(config, { verify: held.verify, rest: 0 });
  let busy = 0;
  for (let i = 0; i < 100; i++) {
    void Promise.resolve(check(basic('eve', `${i}`), `10.0.0.${i}`)).then(
      (verdict) => (busy += verdict === 'busy' ? 1 : 0),
    );
  }
  assert.equal(check('Bearer a-token', '9.9.9.9'), 'allowed');
  await turnOfTheLoop();
  assert.equal(busy, 100 - 64 - 1, 'one is being compared');
});

async function slowly(): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return false;
}

test('auth: after a comparison comes a rest', async () => {
  const { check } = createAuthenticator(config, { verify: slowly });
  const began = performance.now();
  await Promise.all([check(basic('eve', '1'), '10.0.0.1'), check(basic('eve', '2'), '10.0.0.2')]);
  assert.ok(performance.now() - began > 240, 'two comparisons of 50 ms and 150 ms between them');
});

test('auth: a failing comparison is an error, and the next one is tried', async () => {
  let calls = 0;
  const verify = async () => {
    if (++calls === 1) throw new Error('no thread');
    return true;
  };
  const { check } = createAuthenticator(config, { verify, rest: 0 });
  await assert.rejects(async () => check(basic('alice', 'secret'), '10.0.0.1'), /no thread/);
  assert.equal(await check(basic('alice', 'secret'), '10.0.0.1'), 'allowed');
});

test('auth: addresses of one client count as one', () => {
  assert.equal(clientOf('::ffff:10.0.0.1'), '10.0.0.1');
  assert.equal(clientOf('10.0.0.1'), '10.0.0.1');
  assert.equal(clientOf('2001:db8:1:2:a:b:c:d'), '2001:db8:1:2');
  assert.equal(clientOf('2001:db8:1:2::9'), '2001:db8:1:2');
  assert.equal(clientOf('2001:db8::9'), '2001:db8:0:0');
  assert.equal(clientOf('fe80::1%eth0'), 'fe80:0:0:0');
  assert.equal(clientOf('::1'), '0:0:0:0');
  assert.equal(clientOf(''), '');
});

test('auth: a password that was compared while the file changed is right for this once only', async () => {
  const held = heldVerifier();
  const { check, replace } = createAuthenticator(config, { verify: held.verify, rest: 0 });
  const during = check(basic('alice', 'secret'), '1.2.3.4');
  await turnOfTheLoop();
  replace({ ...config, users: new Map([['alice', 'hash of new']]) });
  held.comparisons[0]?.answer();
  await during;
  await turnOfTheLoop();
  const later = check(basic('alice', 'secret'), '1.2.3.4');
  await turnOfTheLoop();
  assert.equal(held.comparisons[1]?.hash, 'hash of new', 'compared with the new hash');
  held.comparisons[1]?.answer();
  assert.equal(await later, 'refused');
});
