/** What a setting is called in a problem: as whoever wrote it wrote it, an option or a variable. */
import type { SettingsTable } from './settings.ts';

/** `--evidence-dir, --agents`, or `STEALWATCH_EVIDENCE_DIR, STEALWATCH_AGENTS`. */
export type Named<Key extends string = string> = (...keys: readonly Key[]) => string;

/**
 * `origins`: of those that were given, by key. Who has set some by variables alone would set the others so
 * too; of what nobody set the option is named.
 */
export function namesOf<T extends SettingsTable>(
  table: T,
  origins: ReadonlyMap<string, string>,
): Named<keyof T & string> {
  return (...keys) => {
    const given = keys.flatMap((key) => origins.get(key) ?? []);
    const byVariables = given.length > 0 && given.every((origin) => !origin.startsWith('--'));
    return keys
      .map((key) => {
        const { flag = key, variables = [] } = table[key] ?? {};
        const [variable] = byVariables ? variables : [];
        return origins.get(key) ?? variable ?? `--${flag}`;
      })
      .join(', ');
  };
}
