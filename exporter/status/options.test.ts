import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStatusOptions } from './options.ts';

const askedOf = (text: string) => {
  const command = readStatusOptions([text], {});
  return command.kind === 'ask' ? command.place.url.href : command.kind;
};

test('status: a host alone is asked at the port of an exporter, a URL where it says', () => {
  for (const [text, url] of [
    ['vps1', 'http://vps1:10190/'],
    ['vps1:', 'http://vps1:10190/'],
    ['vps1/sw/', 'http://vps1:10190/sw/'],
    ['[::1]', 'http://[::1]:10190/'],
    ['[::1]:80', 'http://[::1]/'],
    ['vps1:80', 'http://vps1/'],
    ['vps1:8080/sw', 'http://vps1:8080/sw'],
    ['http://vps1', 'http://vps1/'],
    ['https://vps1', 'https://vps1/'],
  ] as const) {
    assert.equal(askedOf(text), url, text);
  }
});
