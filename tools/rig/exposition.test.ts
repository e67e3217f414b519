import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPage } from './exposition.ts';

const good =
  '# HELP a A.\n# TYPE a gauge\na{x="\\"\\\\\\n"} NaN\na{x="2"} +Inf\n' +
  '# HELP h H.\n# TYPE h histogram\nh_bucket{le="+Inf"} 2\nh_sum 1e-06\nh_count 2\n';

test('exposition: a good page has no objection and all its samples', () => {
  const { samples, objections } = readPage(good);
  assert.deepEqual(objections, []);
  assert.equal(samples.size, 5);
  assert.equal(samples.get('h_sum'), 1e-6);
});

for (const [what, page, objection] of [
  ['no line end', '# TYPE a gauge\na 1', /no line end/],
  [
    'a raw control character is fine, a line end in a label is not',
    '# TYPE a gauge\na{x="\n"} 1\n',
    /no sample/,
  ],
  ['an unescaped quote', '# TYPE a gauge\na{x="""} 1\n', /no sample/],
  ['no value', '# TYPE a gauge\na \n', /no sample/],
  ['a series twice', '# TYPE a gauge\na 1\na 2\n', /series twice/],
  [
    'a family in two places',
    '# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na{x="1"} 1\n',
    /two places/,
  ],
  ['no TYPE', 'a 1\n', /no TYPE/],
  ['a second TYPE', '# TYPE a gauge\n# TYPE a gauge\na 1\n', /second TYPE/],
  ['a counter below 0', '# TYPE a counter\na -1\n', /below 0/],
] as const) {
  test(`exposition: ${what} is objected to`, () => {
    assert.match(readPage(page).objections.join('\n'), objection);
  });
}
