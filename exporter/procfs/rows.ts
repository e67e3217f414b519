/**
 * Files of rows, a name and a number each, of which a few are wanted: /proc/meminfo and
 * /proc/vmstat. Two hundred rows are read at each scrape for a dozen numbers, so the form of all
 * is checked by one regular expression and only the wanted ones are looked at.
 */

export interface RowForm {
  /** What errors begin with: the file's name. */
  readonly file: string;
  /** One row, without its line end. */
  readonly row: RegExp;
  /** Between name and number. */
  readonly separator: string;
}

function unexpected({ file }: RowForm, row: string): Error {
  return new Error(`${file}: unexpected line ${JSON.stringify(row.slice(0, 120))}`);
}

/**
 * Gives the reader of such a file: the text of the row of a name, or undefined when there is
 * none. Throws when a row is not of the form, when a name asked for is there twice or when the
 * text is cut off.
 */
export function rowReader(form: RowForm): (text: string) => (name: string) => string | undefined {
  const { file, row, separator } = form;
  const whole = new RegExp(`^(?:(?:${row.source})\\n)*$`);
  return (text) => {
    if (!text.endsWith('\n') && text !== '') throw new Error(`${file}: the text is cut off`);
    if (!whole.test(text)) {
      const single = new RegExp(`^(?:${row.source})$`);
      throw unexpected(form, text.split('\n').find((one) => !single.test(one)) ?? '');
    }
    const rows = `\n${text}`;
    return (name) => {
      const start = rows.indexOf(`\n${name}${separator}`);
      if (start === -1) return undefined;
      const again = rows.indexOf(`\n${name}${separator}`, start + 1);
      const at = again === -1 ? start : again;
      const found = rows.slice(at + 1, rows.indexOf('\n', at + 1));
      if (again !== -1) throw unexpected(form, found);
      return found;
    };
  };
}
