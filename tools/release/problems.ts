/** What can be wrong with a release before anything is built. Pure: all problems at once, each with what to do. */

export interface State {
  /** Of package.json, and of package-lock.json. */
  readonly version: string;
  readonly lockVersion: string;
  readonly changelog: string;
  /** Lines of `git status --porcelain`. */
  readonly changes: readonly string[];
  readonly head: string;
  /** Commit of each tag. */
  readonly tags: ReadonlyMap<string, string>;
  /** YYYY-MM-DD, in UTC. */
  readonly today: string;
}

export const tagOf = (version: string): string => `v${version}`;

const pattern = /^(\d+)\.(\d+)\.(\d+)$/;

/** Later than the other; a tag that is no version is later than none. */
function isLater(one: string, other: string): boolean {
  const [a, b] = [pattern.exec(one)?.slice(1), pattern.exec(other)?.slice(1)];
  const i = a?.findIndex((digits, part) => digits !== b?.[part]) ?? -1;
  return i >= 0 && Number(a?.[i]) > Number(b?.[i]);
}

interface Section {
  readonly title: string;
  readonly entries: readonly string[];
}

function sectionsOf(changelog: string): Section[] {
  return changelog
    .split(/^## /m)
    .slice(1)
    .map((text) => {
      const [title = '', ...lines] = text.split('\n');
      return { title: title.trim(), entries: lines.filter((line) => line.trim() !== '') };
    });
}

/** What the page of the release says: the section of this version. */
export function notesOf(changelog: string, version: string): string {
  const section = sectionsOf(changelog).find(({ title }) => title.startsWith(`${version} /`));
  return `${section?.entries.join('\n') ?? ''}\n`;
}

function changelogProblems({ version, changelog, today }: State): string[] {
  const [unreleased, section] = sectionsOf(changelog);
  if (unreleased?.title !== 'Unreleased') {
    return ['CHANGELOG.md: expected "## Unreleased" as its first section, with nothing in it'];
  }
  if (unreleased.entries.length > 0) {
    return [
      `CHANGELOG.md: ${unreleased.entries.length} lines under Unreleased: move them below "## ${version} / ${today}"`,
    ];
  }
  const [, named, date = ''] = /^(\S+) \/ (\S+)$/.exec(section?.title ?? '') ?? [];
  if (named !== version) {
    return [
      `CHANGELOG.md has no section for ${version}: expected "## ${version} / ${today}" below Unreleased, found ${JSON.stringify(section?.title ?? 'none')}`,
    ];
  }
  const problems: string[] = [];
  // Where the day begins earlier, it may be tomorrow already.
  const days = (Date.parse(date) - Date.parse(today)) / 86_400_000;
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || !(days <= 1)) {
    problems.push(
      `CHANGELOG.md: expected the date of the release after "${version} /", not "${date}"`,
    );
  }
  if (section?.entries.length === 0) problems.push(`CHANGELOG.md says nothing about ${version}`);
  return problems;
}

function tagProblems({ version, head, tags }: State): string[] {
  const tag = tagOf(version);
  const tagged = tags.get(tag);
  const later = [...tags.keys()].filter((name) => isLater(name.replace(/^v/, ''), version));
  return [
    ...(tagged === undefined || tagged === head
      ? []
      : [`${tag} is a release already, of ${tagged.slice(0, 12)}: raise the version`]),
    ...later.map((name) => `${name} was released already, which is later than ${version}`),
  ];
}

export function problemsOf(state: State): string[] {
  const { version, lockVersion, changes } = state;
  return [
    ...changes.map((line) => `not committed: ${line.slice(3)}`),
    ...(pattern.test(version)
      ? []
      : [`package.json: expected a version such as 1.2.3, not "${version}"`]),
    ...(version === lockVersion
      ? []
      : [
          `package-lock.json has version ${lockVersion}, package.json ${version}: npm version sets both`,
        ]),
    ...changelogProblems(state),
    ...tagProblems(state),
  ];
}
