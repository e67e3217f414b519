/**
 * Bundles the exporter into one file, dist/stealwatch.cjs, and each thread's code beside it.
 *
 *   node tools/build.ts [--demo]     --demo: the demo of docker-compose.yml instead, deploy/demo/dist/demo.cjs
 *
 * Bundled because Node strips no types inside node_modules, and because one file is smaller in
 * memory than 300 modules.
 */
import type { BuildOptions, Plugin } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { filesIn } from '../exporter/files/shipped.ts';
import { runbooksIn } from '../exporter/http/runbooks/runbooks.ts';
import { bundledPackages, licencesPage, noticesText } from './notices.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** Texts as a constant of the bundle. */
const zipped = (texts: Readonly<Record<string, string>>): string =>
  JSON.stringify(gzipSync(JSON.stringify(texts), { level: 9 }).toString('base64'));

function revision(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return process.env['STEALWATCH_REVISION'] ?? 'unknown';
  }
}

/** A module of Node that few installations use, and that costs megabytes once it is loaded. */
const onFirstUse = (name: string) =>
  `module.exports = new Proxy({}, { get: (_, key) => process.getBuiltinModule(${JSON.stringify(name)})[key] })`;

/**
 * Modules that are loaded and never used, 11 MB of them: of prom-client only the registry is,
 * Koa looks file extensions up in a database of media types, ioredis and Koa's cookies load
 * TLS and cryptography before anybody asked for them. ioredis makes four methods for each of 240
 * commands, of which we use `call`, and a client for clusters, which we have of our own; pino can
 * hand its lines to a thread.
 */
const stubs: Readonly<Record<string, string>> = {
  'prom-client': 'module.exports = { Registry: require("prom-client/lib/registry.js") }',
  tls: onFirstUse('tls'),
  crypto: onFirstUse('crypto'),
  './cluster': 'module.exports = {}',
  './commands.json': 'module.exports = {}',
  'thread-stream': 'module.exports = undefined',
  'mime-db':
    'module.exports = { "text/plain": { extensions: ["txt", "text"], charset: "UTF-8", compressible: true }, "text/html": { extensions: ["html"], charset: "UTF-8", compressible: true }, "application/json": { extensions: ["json"], charset: "UTF-8", compressible: true } }',
};

/** Paths that are a module of this package only where it asks for them. */
const stubbedIn: Readonly<Record<string, RegExp>> = {
  './cluster': /\/ioredis\/built\/[^/]+$/,
  './commands.json': /\/@ioredis\/commands\/built\/[^/]+$/,
};

/** Paths that were met, of those that are left out or stand apart. */
const met = new Set<string>();

const exactly = (paths: readonly string[]) =>
  new RegExp(`^(?:${paths.map((path) => path.replaceAll('.', '\\.')).join('|')})$`);

const stubPlugin: Plugin = {
  name: 'stub',
  setup(bundler) {
    bundler.onResolve({ filter: exactly(Object.keys(stubs)) }, ({ path, importer }) => {
      if (stubbedIn[path]?.test(importer) === false) return undefined;
      met.add(path);
      return { path, namespace: 'stub' };
    });
    bundler.onLoad({ filter: /.*/, namespace: 'stub' }, ({ path }) => ({
      contents: stubs[path] ?? '',
      loader: 'js',
      resolveDir: '.',
    }));
  },
};

/**
 * Used on few machines and half of all source, which stays in memory: a file of its own each,
 * read when it is asked for.
 */
const apart: Readonly<Record<string, string>> = {
  systeminformation: 'systeminformation',
  './http/access/access.ts': 'web-access',
  '../evidence/keeper/keeper.ts': 'evidence-keeper',
};

const apartPlugin: Plugin = {
  name: 'apart',
  setup(bundler) {
    bundler.onResolve({ filter: exactly(Object.keys(apart)) }, ({ kind, path }) => {
      if (kind !== 'dynamic-import') return undefined;
      met.add(path);
      return { path: `./${apart[path]}.cjs`, external: true };
    });
  },
};

/** Left out by NODE_ENV=production and --omit=dev, which servers are full of. */
const esbuild = await import('esbuild').catch((error: unknown) => {
  const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
  console.error(`The build needs the development packages, run npm ci --include=dev: ${why}`);
  process.exit(1);
});
const common = {
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  // CommonJS: Node's ESM loader costs 8 MB of resident memory in a process of 50.
  format: 'cjs',
  logLevel: 'warning',
} as const satisfies BuildOptions;

if (process.argv.includes('--demo')) {
  const demo = { demo: 'deploy/demo/main.ts' };
  await esbuild.build({ ...common, entryPoints: demo, outdir: 'deploy/demo/dist' });
  process.exit();
}
const { metafile } = await esbuild.build({
  ...common,
  entryPoints: {
    systeminformation: 'systeminformation',
    'web-access': 'exporter/http/access/access.ts',
    'evidence-keeper': 'exporter/evidence/keeper/keeper.ts',
    stealwatch: 'exporter/main.ts',
    commands: 'exporter/commands.ts',
    'bcrypt-worker': 'exporter/http/access/bcrypt-worker.ts',
    'canary-worker': 'exporter/canary/canary-worker.ts',
  },
  outdir: 'dist',
  minifySyntax: true,
  minifyWhitespace: true,

  // Names of functions stay, for stack traces.

  define: {
    // Where a thread's own file is looked for: beside the bundle.
    'import.meta.dirname': '__dirname',
    'import.meta.filename': '__filename',
    STEALWATCH_VERSION: JSON.stringify(version),
    STEALWATCH_REVISION: JSON.stringify(revision()),
    STEALWATCH_RUNBOOKS: zipped(runbooksIn('docs/runbooks')),
    STEALWATCH_FILES: zipped(filesIn('.')),
  },
  plugins: [stubPlugin, apartPlugin],
  legalComments: 'none',
  metafile: true,
});

const unmet = [...Object.keys(stubs), ...Object.keys(apart)].filter((path) => !met.has(path));
if (unmet.length > 0) {
  console.error(`Nothing imports ${unmet.join(', ')} any more: tools/build.ts names it in vain`);
  process.exit(1);
}

const packages = bundledPackages(metafile);
const notices = 'dist/THIRD-PARTY-NOTICES.txt';
writeFileSync(notices, noticesText(packages));
// What an earlier build made, and nothing makes any more, would ship with the rest.
const made = new Set([notices, ...Object.keys(metafile.outputs)]);
for (const path of readdirSync('dist').map((name) => `dist/${name}`)) {
  if (!made.has(path)) rmSync(path, { recursive: true });
}
// Where it is kept: an image is built with few of the documents.
if (existsSync('docs/licences.md')) writeFileSync('docs/licences.md', licencesPage(packages));
