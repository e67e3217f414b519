/** Reads a page of /metrics as strictly as its strictest reader: text format 0.0.4. */

export interface Page {
  /** `name{labels}` as printed, to its value. */
  readonly samples: ReadonlyMap<string, number>;
  /** What a strict reader objects to, a sentence each. */
  readonly objections: readonly string[];
}

const sample =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*",?)*\})? (NaN|[+-]Inf|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/;
const declared = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*)(?: (.*))?$/;

const shown = (line: string) => JSON.stringify(line.slice(0, 100));

function familyOf(name: string, types: ReadonlyMap<string, string>): string {
  if (types.has(name)) return name;
  const stem = name.replace(/_(?:bucket|sum|count)$/, '');
  return types.get(stem) === 'histogram' ? stem : name;
}

function numberOf(text: string): number {
  return text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}

export function readPage(text: string): Page {
  const samples = new Map<string, number>();
  const objections: string[] = [];
  const types = new Map<string, string>();
  const ended = new Set<string>();
  let current = '';

  function enter(family: string): void {
    if (family === current) return;
    if (ended.has(family)) objections.push(`family ${family} stands in two places`);
    ended.add(current);
    current = family;
  }

  if (!text.endsWith('\n')) objections.push('no line end after the last line');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const declaration = declared.exec(line);
    if (declaration !== null) {
      const [, kind, name = '', rest = ''] = declaration;
      enter(name);
      if (kind === 'TYPE' && types.has(name)) objections.push(`second TYPE of ${name}`);
      if (kind === 'TYPE') types.set(name, rest);
      continue;
    }
    const match = sample.exec(line);
    if (match === null) {
      objections.push(`no sample: ${shown(line)}`);
      continue;
    }
    const [, name = '', labels = '', value = ''] = match;
    const family = familyOf(name, types);
    if (!types.has(family)) objections.push(`no TYPE before ${shown(line)}`);
    enter(family);
    const key = name + labels;
    if (samples.has(key)) objections.push(`series twice: ${shown(line)}`);
    samples.set(key, numberOf(value));
    if (types.get(family) === 'counter' && numberOf(value) < 0) {
      objections.push(`counter below 0: ${shown(line)}`);
    }
  }
  return { samples, objections };
}
