import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceSource } from './source.ts';

type Answer = string | { readonly code: string };

/** A device that gives these answers, one a read; a record too long for the buffer is EINVAL. */
function device(answers: Answer[]): () => string | undefined {
  const source = deviceSource(
    (buffer) => {
      const [answer = { code: 'EAGAIN' }] = answers;
      if (typeof answer !== 'string') {
        answers.shift();
        throw Object.assign(new Error(`${answer.code}: read`), answer);
      }
      if (answer.length > buffer.length) throw Object.assign(new Error('x'), { code: 'EINVAL' });
      answers.shift();
      return buffer.write(answer, 'latin1');
    },
    () => undefined,
  );
  return () => source.next();
}

test('kmsg device: records until there is no more for now', () => {
  const next = device(['6,1,1,-;one\n', '6,2,1,-;two\n', { code: 'EAGAIN' }, '6,3,1,-;three\n']);
  assert.equal(next(), '6,1,1,-;one\n');
  assert.equal(next(), '6,2,1,-;two\n');
  assert.equal(next(), undefined);
  assert.equal(next(), '6,3,1,-;three\n');
});

test('kmsg device: after an overrun it reads on from the oldest record left', () => {
  assert.equal(device([{ code: 'EPIPE' }, '6,900,1,-;one\n'])(), '6,900,1,-;one\n');
});

test('kmsg device: a record longer than the buffer is read whole, once', () => {
  const long = `6,1,1,-;${'x'.repeat(30_000)}\n`;
  const next = device([long, '6,2,1,-;two\n']);
  assert.equal(next(), long);
  assert.equal(next(), '6,2,1,-;two\n');
});

test('kmsg device: EINVAL without end, and any other error, is thrown', () => {
  assert.throws(device(['x'.repeat(2 * 1024 * 1024)]), { code: 'EINVAL' });
  assert.throws(device([{ code: 'EIO' }]), { code: 'EIO' });
});
