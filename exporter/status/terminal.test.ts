import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { forTerminal } from './terminal.ts';

test('terminal: nothing that whoever answers has sent is a command to it', () => {
  const text = 'BAD   \u001b]0;owned\u0007\u009b2J\r\u202e\n';
  assert.equal(forTerminal(text, false), 'BAD   \\x1b]0;owned\\x07\\x9b2J\\x0d\\u202e\n');
  const coloured = forTerminal(text, true);
  assert.equal(stripVTControlCharacters(coloured), forTerminal(text, false));
});

test('terminal: words, titles and runbooks, and nothing within a sentence', () => {
  const text = 'Next: See /runbook/A:\n      /runbook/A\nCHECKS\nok    a BAD word, Next: CHECKS\n';
  assert.equal(
    forTerminal(text, false, 'http://h:1/sw/'),
    text.replace('      /runbook/A', '      http://h:1/sw/runbook/A'),
  );
  assert.equal(
    forTerminal('WARN  CHECKS\nCHECKS\n', true),
    '\u001b[33mWARN\u001b[0m  CHECKS\n\u001b[1mCHECKS\u001b[0m\n',
  );
});
