import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inStep, sameText } from './in-step.ts';

const compare = (have: readonly string[], want: readonly string[]) =>
  inStep({ have, want, missing: (name) => `write ${name}`, needless: (name) => `delete ${name}` });

test('in step: each name that one list alone has, with what to do about it', () => {
  compare(['a', 'b'], ['b', 'a']);
  compare([], []);
  assert.throws(() => compare(['a', 'c', 'b', 'a'], ['a', 'b', 'd']), {
    message: '3 to do:\n  write d\n  delete c\n  delete a',
  });
});

const saying = (message: string) => ({ message: `run this, from line ${message}` });

test('in step: of two texts the lines that differ, not all that follow', () => {
  const text = Array.from({ length: 500 }, (_, i) => `line ${i}`).join('\n');
  sameText(text, text, 'what');
  sameText('', '', 'what');
  assert.throws(
    () => sameText(text.replace('line 7\n', ''), text, 'run this'),
    saying('8 on:\n- line 7'),
  );
  assert.throws(() => sameText(`${text}\nmore`, text, 'run this'), saying('501 on:\n+ more'));
  assert.throws(
    () => sameText(text.replace('line 7', 'other'), text, 'run this'),
    saying('8 on:\n- line 7\n+ other'),
  );
  // A line that is there twice may be either of them.
  assert.throws(() => sameText('a\na', 'a', 'run this'), saying('2 on:\n+ a'));
  assert.throws(
    () => sameText(text, '', 'run this'),
    (error: Error) => {
      assert.equal(error.message.split('\n').length, 13);
      return error.message.endsWith('+ line 9\n+ and 490 lines more');
    },
  );
});
