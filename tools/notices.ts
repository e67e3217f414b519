/**
 * The licences of what is bundled: their authors ask that the text goes along. From what esbuild
 * says it put into the bundle, so that nothing is forgotten and nothing is named in vain.
 */
import type { Metafile } from 'esbuild';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

export interface Bundled {
  /** As it is imported, and in brackets what it is called where that is another name. */
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

/** For the packages that name it and bring no text. */
const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

function textOf(directory: string, license: string): string {
  const files = readdirSync(directory).filter((name) => /^(licen[cs]e|notice|copying)/i.test(name));
  if (files.length > 0) {
    return files.map((name) => readFileSync(join(directory, name), 'utf8').trim()).join('\n\n');
  }
  if (license === 'MIT') return `(The package names the MIT licence and brings no text.)\n\n${mit}`;
  throw new Error(`${directory}: expected a file LICENSE, or the MIT licence`);
}

function bundledFrom(directory: string): Bundled {
  const own = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as PackageJson;
  const imported = own.name.startsWith('@')
    ? join(basename(dirname(directory)), basename(directory))
    : basename(directory);
  const alias = imported.endsWith(own.name) ? '' : `${basename(directory)} `;
  const license = own.license ?? 'unknown';
  const name = alias === '' ? own.name : `${alias}(${own.name})`;
  return { name, version: own.version, license, text: textOf(directory, license) };
}

/** In order of their names. The same package in two versions is two. */
export function bundledPackages({ inputs }: Metafile): Bundled[] {
  const directories = new Set<string>();
  for (const path of Object.keys(inputs)) {
    const directory = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    if (directory !== undefined) directories.add(directory);
  }
  return [...directories]
    .map(bundledFrom)
    .sort((a, b) => a.name.localeCompare(b.name, 'en') || a.version.localeCompare(b.version, 'en'));
}

const rule = '='.repeat(80);

/** dist/THIRD-PARTY-NOTICES.txt. */
export function noticesText(packages: readonly Bundled[]): string {
  return [
    'stealwatch bundles the packages below. Each is its authors’, under the licence that follows its name.',
    ...packages.map(
      ({ name, version, license, text }) =>
        `${rule}\n${name} ${version}\nLicence: ${license}\n${rule}\n\n${text}`,
    ),
    '',
  ].join('\n\n');
}

/** Name and version of each package that such a text holds; the name as it is published. */
export function packagesIn(text: string): { readonly name: string; readonly version: string }[] {
  const titles = /^=+\n(?:\S+ \((\S+)\)|(\S+)) (\S+)\nLicence: /gm;
  return [...text.matchAll(titles)].map(([, published, name, version = '']) => ({
    name: published ?? name ?? '',
    version,
  }));
}

/** docs/licences.md. Without versions, which the lock file and the notices have. */
export function licencesPage(packages: readonly Bundled[]): string {
  const rows = [...new Set(packages.map(({ name, license }) => `| ${name} | ${license} |`))];
  return `# Licences of what is bundled

stealwatch itself is under the [Apache License 2.0](../LICENSE). The exporter is one file that holds the packages below;
their versions and the texts of their licences ship beside it, in \`dist/THIRD-PARTY-NOTICES.txt\`, in the npm package and
in the image. \`npm run build\` makes both lists from what it bundles.

| package | licence |
|---|---|
${rows.join('\n')}
`;
}
