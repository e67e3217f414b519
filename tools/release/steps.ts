/** What one machine can prove of a release, step by step. Each says what it found, or throws what was wrong. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagesIn } from '../notices.ts';
import { type Packed, packageProblems } from './package.ts';
import { notesOf, problemsOf, type State, tagOf } from './problems.ts';
import { type Bom, bomOfShipped } from './sbom.ts';
import { inTemporaryDirectory } from '../rig/temporary-root.ts';

export interface Release {
  readonly version: string;
  /** Where the package and its bill of materials are written. */
  readonly directory: string;
}

export interface Step {
  readonly name: string;
  /** A few words on what was found. A `skipped` says why it could not be tried here. */
  readonly run: (release: Release) => string | { readonly skipped: string };
}

function run(program: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (error !== undefined) throw error;
  if (status !== 0) {
    const said = (stderr.trim() || stdout.trim()).split('\n').slice(-20).join('\n');
    throw new Error(`${program} ${args.join(' ')}:\n${said}`);
  }
  return stdout;
}

const git = (...args: readonly string[]) => run('git', args);
const lines = (text: string) => text.split('\n').filter((line) => line !== '');
const changesNow = () => lines(git('status', '--porcelain', '--untracked-files=all'));

interface Manifest {
  readonly name: string;
  readonly version: string;
}

const manifest = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Manifest;

export const currentVersion = (): string => manifest('package.json').version;

function currentState(): State {
  const tags = lines(
    git('for-each-ref', '--format=%(refname:short) %(objectname) %(*objectname)', 'refs/tags'),
  );
  return {
    version: currentVersion(),
    lockVersion: manifest('package-lock.json').version,
    changelog: readFileSync('CHANGELOG.md', 'utf8'),
    changes: changesNow(),
    head: git('rev-parse', 'HEAD').trim(),
    // Of a tag with a message the commit it is of.
    tags: new Map(
      tags.map((line) => {
        const [name = '', object = '', commit = ''] = line.split(' ');
        return [name, commit === '' ? object : commit];
      }),
    ),
    today: new Date().toISOString().slice(0, 10),
  };
}

function failOn(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

const tarballOf = ({ directory, version }: Release) => join(directory, `stealwatch-${version}.tgz`);

function pack(release: Release): string {
  mkdirSync(release.directory, { recursive: true });
  // Built in the step before.
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', release.directory];
  const [packed] = JSON.parse(run('npm', args)) as Packed[];
  if (packed === undefined) throw new Error('npm packed nothing');
  failOn(packageProblems(packed, readdirSync('dist')));
  return `${packed.filename}, ${packed.files.length} files, ${Math.round(packed.size / 1000)} kB`;
}

/** Into an empty directory, without the network: everything it needs is in it, but Node. */
function install(release: Release): string {
  return inTemporaryDirectory((empty) => {
    const options = ['--offline', '--omit=optional', '--no-audit', '--no-fund'];
    run('npm', ['install', ...options, tarballOf(release)], empty);
    const program = join(empty, 'node_modules', '.bin', 'stealwatch');
    const said = run(program, ['--version'], empty).trim();
    if (said !== `stealwatch ${release.version}`) throw new Error(`--version says "${said}"`);
    return said;
  });
}

function noticesIn(release: Release): string {
  const path = 'package/dist/THIRD-PARTY-NOTICES.txt';
  const text = run('tar', ['-xzOf', tarballOf(release), path]);
  const count = packagesIn(text).length;
  if (count === 0) throw new Error(`${path} names no package`);
  return `of ${count} packages`;
}

function writeSbom({ directory, version }: Release): string {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const all = JSON.parse(run('npm', [...args, '--package-lock-only'])) as Bom;
  const shipped = packagesIn(readFileSync('dist/THIRD-PARTY-NOTICES.txt', 'utf8'));
  const bom = bomOfShipped(all, manifest('package.json').name, shipped);
  const file = `stealwatch-${version}.cdx.json`;
  writeFileSync(join(directory, file), `${JSON.stringify(bom, null, 2)}\n`);
  return `${file}, ${bom.components.length} of ${all.components.length} packages of the lock file`;
}

/** Docker's or Podman's client, if an engine answers. */
function engine(): string | undefined {
  return ['docker', 'podman'].find((name) => spawnSync(name, ['info']).status === 0);
}

function buildImage({ version }: Release): string | { readonly skipped: string } {
  const program = engine();
  if (program === undefined) {
    return { skipped: 'no container engine answers here; release.yml builds it for both machines' };
  }
  const image = `stealwatch-release-try:${version}`;
  run(program, ['build', '-f', 'exporter/Dockerfile', '-t', image, '.']);
  try {
    const inside = (...args: readonly string[]) =>
      run(program, ['run', '--rm', '--entrypoint', args[0] ?? '', image, ...args.slice(1)]);
    const said = inside('/app/exporter/stealwatch', '--version').trim();
    if (said !== `stealwatch ${version}`) throw new Error(`the image's --version says "${said}"`);
    const notices = packagesIn(inside('cat', '/app/dist/THIRD-PARTY-NOTICES.txt')).length;
    if (notices === 0) throw new Error('the image has no notices of its packages');
    return `${said}, notices of ${notices} packages`;
  } finally {
    spawnSync(program, ['rmi', image]);
  }
}

function writeNotes({ directory, version }: Release): string {
  const notes = notesOf(readFileSync('CHANGELOG.md', 'utf8'), version);
  writeFileSync(join(directory, 'notes.md'), notes);
  return `notes.md, ${lines(notes).length} lines`;
}

const npmRun = (...args: readonly string[]) => run('npm', ['run', '--silent', ...args]);

export const steps: readonly Step[] = [
  {
    name: 'tree, version, changelog and tag agree',
    run: ({ version }) => {
      failOn(problemsOf(currentState()));
      return tagOf(version);
    },
  },
  {
    name: 'what is generated is current',
    run: () => {
      npmRun('generate', '--', '--check');
      return 'npm run generate';
    },
  },
  {
    name: 'it builds, and changes nothing that is committed',
    run: () => {
      npmRun('build');
      failOn(changesNow().map((line) => `the build writes ${line.slice(3)}: commit it`));
      return 'dist/';
    },
  },
  { name: 'the npm package holds what it should', run: pack },
  { name: 'licences of others are in it', run: noticesIn },
  { name: 'it installs from nothing and runs', run: install },
  { name: 'bill of materials', run: writeSbom },
  { name: 'what the page of the release says', run: writeNotes },
  { name: 'the image builds and runs', run: buildImage },
];

/** In this repository alone. */
export function setTag(version: string): void {
  const tag = tagOf(version);
  execFileSync('git', ['tag', '--annotate', '--message', `stealwatch ${version}`, tag]);
}

export const isTagged = (version: string): boolean =>
  lines(git('tag', '--list', tagOf(version))).length > 0;
