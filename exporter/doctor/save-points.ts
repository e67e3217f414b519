/** Save points as redis.conf and arguments have them, in the form of CONFIG GET: "3600 1 300 100". */

/** Redis splits a line as a shell does; a save point needs no more of it than its quotes. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}

/** Several lines add up, and an empty one takes back what stood before it. */
function added(before: string | undefined, values: readonly string[]): string {
  const text = values.join(' ').trim();
  if (text === '') return '';
  return before === undefined || before === '' ? text : `${before} ${text}`;
}

/** Undefined where the file says nothing of it. Throws where another file may. */
export function savePointsInFile(text: string): string | undefined {
  let points: string | undefined;
  for (const line of text.split('\n')) {
    const [directive = '', ...values] = wordsOf(line.trim());
    const name = directive.toLowerCase();
    if (name === 'include') {
      throw new Error('the configuration file includes others, which are not looked at');
    }
    if (name === 'save') points = added(points, values);
  }
  return points;
}

/** Of `redis-server --save 3600 1 --save 300 100`, behind whatever shell starts it. */
export function savePointsInArguments(command: readonly string[]): string | undefined {
  const words = command.flatMap((word) => (/\s/.test(word) ? wordsOf(word) : [word]));
  let points: string | undefined;
  words.forEach((word, i) => {
    if (word !== '--save') return;
    const rest = words.slice(i + 1);
    const end = rest.findIndex((one) => one.startsWith('--'));
    points = added(points, end === -1 ? rest : rest.slice(0, end));
  });
  return points;
}
