/**
 * Files of rows, a name and a number each, of which a few are wanted: /proc/meminfo and
 * /proc/vmstat. Rows that nobody asked for are not looked at, whatever their form: every few
 * kernels and every container runtime has one of its own.
 */

export interface RowForm {
  /** What errors begin with: the file's name. */
  readonly file: string;
  /** Between name and number. */
  readonly separator: string;
  /** What follows the separator, with the number captured. */
  readonly number: RegExp;
  /** What the number counts: bytes, or 1. */
  readonly unit: number;
}

export interface Rows {
  /** By name; a row that this kernel does not have is not in it. */
  readonly values: ReadonlyMap<string, number>;
  /**
   * Rows, as they stand there, whose number cannot be: 2^64 less a little, most often, from a
   * subtraction that went below zero.
   */
  readonly impossible: ReadonlyMap<string, string>;
  /** The first row that was wanted and could not be read, quoted, or that the text was cut off. */
  readonly problem: string | undefined;
}

/** A name at the start of a row; undefined where there is none. A name ends at its separator. */
function findRow(rows: string, name: string, from = 0): number | undefined {
  const at = rows.indexOf(name, from);
  return at === -1 ? undefined : at + 1;
}

/** Files that are shorter than they said are filled up with NULs (lxcfs); no row holds one. */
function withoutNuls(text: string): string {
  return text.includes('\0') ? text.replaceAll(/\n\0+/g, '\n').replaceAll('\0', '?') : text;
}

export function rowReader(form: RowForm): (text: string, wanted: readonly string[]) => Rows {
  const { file, separator, number, unit } = form;
  const unexpected = (row: string) =>
    `${file}: unexpected line ${JSON.stringify(row.slice(0, 120))}`;

  return (raw, wanted) => {
    const rows = `\n${withoutNuls(raw)}`;
    const values = new Map<string, number>();
    const impossible = new Map<string, string>();
    let problem = rows.endsWith('\n') ? undefined : `${file}: the text is cut off`;

    /** Undefined, with the problem noted, for a row that is cut off or there twice. */
    function rowOf(name: string): string | undefined {
      const word = `\n${name}${separator}`;
      const start = findRow(rows, word);
      if (start === undefined) return undefined;
      const end = rows.indexOf('\n', start);
      if (end === -1) return undefined;
      const again = findRow(rows, word, end);
      if (again === undefined) return rows.slice(start, end);
      problem ??= unexpected(rows.slice(again).split('\n', 1)[0] ?? '');
      return undefined;
    }

    for (const name of wanted) {
      const row = rowOf(name);
      if (row === undefined) continue;
      const digits = number.exec(row.slice(name.length + separator.length))?.[1];
      const value = Number(digits) * unit;
      if (digits === undefined) problem ??= unexpected(row);
      else if (Number.isSafeInteger(value)) values.set(name, value);
      else impossible.set(name, row);
    }
    return { values, impossible, problem };
  };
}
