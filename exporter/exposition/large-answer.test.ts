import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createInflated } from './inflated.ts';
import { createLargeAnswers, type Parts } from './large-answer.ts';
import { inflatePiece, type Prepared, startPreparing } from '../core/prepared.ts';
import { until } from '../../tools/rig/redis-server.ts';

const lines = (count: number) =>
  Array.from({ length: count }, (_, i) => `asynq_size{queue="ключ ${i}"} ${i * 7919}\n`).join('');

async function prepared(content: string): Promise<Prepared> {
  const preparing = startPreparing();
  for (let at = 0; at < content.length; at += 50_000) {
    await preparing.add(content.slice(at, at + 50_000));
  }
  return preparing.end();
}

/** One that counts what is inflated. */
function counting() {
  let count = 0;
  const inflated = createInflated({ keptBytes: 1e6, atOnce: 3 }, async (piece) => {
    count += 1;
    return inflatePiece(piece);
  });
  return { inflated, count: () => count };
}

test('large answers: a crowd that reads together has each piece inflated once, and all get all', async () => {
  const content = lines(200_000);
  const middle = await prepared(content);
  const parts: Parts = [Buffer.from('before\n'), middle, Buffer.from(`${'x'.repeat(300_000)}é\n`)];
  const { inflated, count } = counting();
  const answerOf = createLargeAnswers(false, inflated)(parts);
  const answers = await Promise.all(Array.from({ length: 50 }, answerOf));
  const texts = await Promise.all(answers.map(async ({ body }) => text(body)));
  const expected = `before\n${content}${'x'.repeat(300_000)}é\n`;
  assert.ok(texts.every((one) => one === expected));
  assert.equal(answers[0]?.length, Buffer.byteLength(expected));
  assert.ok(middle.pieces.length > 40);
  assert.equal(count(), middle.pieces.length);
  assert.equal(inflated.bytes(), 0, 'nothing is kept once nobody reads');
});

test('large answers: for who does not read one slice waits, and what is held is told', async (t) => {
  const content = lines(400_000);
  const page = await prepared(content);
  for (const encrypted of [false, true]) {
    const { inflated, count } = counting();
    const answerOf = createLargeAnswers(encrypted, inflated)([page]);
    const answer = await answerOf();
    const server = createServer((_request, response) => answer.body.pipe(response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ port, host: '127.0.0.1' });
    t.after(() => {
      client.destroy();
      server.close();
    });
    client.pause().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [{ socket }] = (await once(server, 'request')) as [IncomingMessage];
    let before = -1;
    await until('nothing moves', async () => {
      before = socket.bytesWritten;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return before > 0 && socket.bytesWritten === before;
    });
    // A short slice, the end of a piece, lets one more follow it.
    const waits = socket.writableLength + answer.body.readableLength;
    assert.ok(waits > 0 && waits <= (encrypted ? 64 : 256) * 1024 + 70_000, `${waits} bytes wait`);
    assert.ok(count() < page.pieces.length, 'the rest is not inflated');
    const compressed = page.pieces.reduce((sum, { length }) => sum + length, 0);
    const [whole, kept, current] = answer.held();
    assert.deepEqual(whole, { key: page, bytes: compressed });
    assert.deepEqual(kept, { key: inflated, bytes: inflated.bytes() });
    assert.ok((current?.bytes ?? 0) > 100_000 && (current?.bytes ?? 0) < 300_000);
    socket.destroy();
    answer.body.destroy();
    await until('nothing is held', () => inflated.bytes() === 0 && answer.held().length === 2);
  }
});

test('large answers: what cannot be inflated ends the answer with its error', async () => {
  const broken: Prepared = { pieces: [Buffer.from('no deflate')], length: 9, crc: 0 };
  const answer = await createLargeAnswers(false)([Buffer.from('a'), broken])();
  await assert.rejects(text(answer.body));
});
