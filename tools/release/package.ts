/** What is in the npm package, and what must not be. */

export interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

const needed = [
  'dist/stealwatch.cjs',
  'dist/THIRD-PARTY-NOTICES.txt',
  'docs/licences.md',
  'deploy/stealwatch.service',
  'deploy/stealwatch-rescue.service',
  'deploy/stealwatch.slice',
  'CHANGELOG.md',
  'LICENSE',
  'exporter/stealwatch',
  'exporter/use-node.sh',
];
const allowed = [
  /^dist\/[a-z-]+\.cjs$/,
  /^dist\/THIRD-PARTY-NOTICES\.txt$/,
  /^docs\/[a-z-]+\.md$/,
  /^docs\/adr\/\d{4}-[a-z0-9-]+\.md$/,
  /^deploy\/stealwatch(?:(?:-rescue)?\.service|\.slice)$/,
  /^exporter\/(stealwatch|use-node\.sh)$/,
  /^(README|SECURITY|CHANGELOG)\.md$|^LICENSE$|^package\.json$/,
];
const mostBytes = 1_500_000;

/** Sentences; none when it is as it should be. `built` are the files of dist/. */
export function packageProblems({ size, files }: Packed, built: readonly string[]): string[] {
  const paths = files.map(({ path }) => path);
  return [
    ...[...needed, ...built.map((name) => `dist/${name}`)]
      .filter((path) => !paths.includes(path))
      .map((path) => `${path} is missing`),
    ...paths
      .filter((path) => !allowed.some((one) => one.test(path)))
      .map((path) => `${path} does not belong there`),
    ...(size > mostBytes ? [`${size} bytes, more than ${mostBytes}`] : []),
  ];
}
