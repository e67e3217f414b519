/** deploy/compose.digests.yml: the images of docker-compose.yml that others make, by digest; and who checks them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { composeFile, readByDocker, type Service } from '../tools/rig/compose.ts';
import { temporaryRoot } from '../tools/rig/temporary-root.ts';

const path = 'deploy/compose.digests.yml';
const { services } = composeFile(path);
const pinned = Object.values(services).map(({ image = '' }) => image);

const tagOf = (image = '') => image.split('@')[0] ?? '';

test('digests: every image of others, under the tag that docker-compose.yml has, and nothing else', () => {
  const others = Object.entries(composeFile().services).filter(([, { build }]) => !build);
  const tags = others.map(([name, { image }]) => [name, image]);
  assert.deepEqual(
    Object.entries(services).map(([name, { image }]) => [name, tagOf(image)]),
    tags,
  );
  for (const [name, service] of Object.entries(services)) {
    assert.deepEqual(Object.keys(service), ['image'], name);
    assert.match(service.image ?? '', /^[\w./-]+:v?\d[\w.]*@sha256:[0-9a-f]{64}$/, name);
  }
  assert.equal(new Set(pinned).size, new Set(pinned.map(tagOf)).size, 'a tag has one digest');
});

test('digests: Compose merges them, and a file without it stays as it is', (t) => {
  const environment = { GRAFANA_ADMIN_PASSWORD: 'x' };
  for (const profile of ['all', 'watch']) {
    const plain = readByDocker(['docker-compose.yml'], profile, environment);
    const merged = readByDocker(['docker-compose.yml', path], profile, environment);
    if (plain === undefined || merged === undefined) return t.skip('no docker compose here');
    assert.deepEqual(Object.keys(merged.services), Object.keys(plain.services));
    for (const [name, service] of Object.entries(merged.services)) {
      const before: Service | undefined = plain.services[name];
      const pin: Service | undefined = services[name] ?? before;
      assert.deepEqual(service, { ...before, image: pin?.image }, name);
    }
  }
});

/** Docker with a registry that has these digests: tag to digest, or none where it does not answer. */
function checked(t: TestContext, registry: ReadonlyMap<string, string>) {
  const bin = temporaryRoot(t);
  const answers = [...registry].map(([tag, digest]) => `${tag}) echo ${digest} ;;`);
  const docker = `#!/bin/sh
[ "$1 $2 $3" = 'buildx imagetools inspect' ] && [ "$5 $6" = '--format {{.Manifest.Digest}}' ] || exit 9
case $4 in ${answers.join(' ')} *) exit 1 ;; esac
`;
  writeFileSync(join(bin, 'docker'), docker);
  chmodSync(join(bin, 'docker'), 0o755);
  const { status, stdout } = spawnSync('sh', ['deploy/check-digests.sh'], {
    encoding: 'utf8',
    env: { PATH: `${bin}:${process.env['PATH']}` },
  });
  return { status, said: stdout.trim().split('\n').sort() };
}

test('check-digests: the same, another, and no answer are three things', (t) => {
  const right = new Map(pinned.map((image) => [tagOf(image), image.split('@')[1] ?? '']));
  const same = [...right.keys()].sort().map((tag) => `the same   ${tag}`);
  assert.deepEqual(checked(t, right), { status: 0, said: same });

  const [moved = '', gone = '', ...rest] = [...right.keys()].sort();
  const other = `sha256:${'0'.repeat(64)}`;
  const registry = new Map([...right, [moved, other] as const]);
  registry.delete(gone);
  assert.deepEqual(checked(t, registry), {
    status: 1,
    said: [
      `ANOTHER    ${moved}: ${other}, and not ${right.get(moved)}`,
      `not known  ${gone}: no answer of the registry`,
      ...rest.map((tag) => `the same   ${tag}`),
    ],
  });
  assert.equal(rest.length, 1);
});

test('check-digests: reads the file that Compose reads', () => {
  assert.equal(readFileSync(path, 'utf8').match(/^ *image: /gm)?.length, pinned.length);
});
