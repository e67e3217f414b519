/**
 * The health check of docker-compose.yml and of the image, as they stand there: healthy where
 * somebody answers, whatever the answer, and not where nobody listens or nobody answers, for every
 * form of address that the exporter takes.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createPlainServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseListen } from '../exporter/config/values.ts';
import { createAuthority } from '../tools/rig/certificates.ts';
import { startExporter } from '../tools/rig/exporter-process.ts';
import { freePort } from '../tools/rig/redis-server.ts';
import { composeFile } from '../tools/rig/compose.ts';

/** Docker hands the elements of the list on as they are, compose after making `$` of `$$`. */
function ofCompose(): readonly string[] {
  const { healthcheck } = composeFile().services['exporter'] ?? {};
  return (healthcheck?.test ?? []).slice(1).map((part) => part.replaceAll('$$', '$'));
}

function ofImage(): readonly string[] {
  const dockerfile = readFileSync('exporter/Dockerfile', 'utf8');
  const list = /^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]';
  return JSON.parse(list) as string[];
}

function exitCode(listen: string | undefined): Promise<number | null> {
  const [program = '', ...args] = ofCompose();
  const env = { PATH: process.env['PATH'], ...(listen && { STEALWATCH_LISTEN: listen }) };
  const child = spawn(program, args, { env, stdio: 'ignore' });
  return new Promise((resolve) => child.once('exit', resolve));
}

async function listening<T extends Server>(t: TestContext, server: T, port: number, host: string) {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  t.after(() => server.close());
  return server;
}

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

/** Everything before the port; what the exporter reads out of it says where the server listens. */
const forms = ['127.0.0.1', '0.0.0.0', '', 'localhost', ...(hasIpv6 ? ['[::1]', '[::]'] : [])];

test('health check: compose and the image ask the same', () => {
  assert.match(ofCompose().join(' '), /\/livez/);
  assert.deepEqual(ofImage(), ofCompose());
});

for (const form of forms) {
  test(`health check: ${form}:PORT, somebody, then nobody`, async (t) => {
    const port = await freePort();
    const listen = `${form}:${port}`;
    assert.notEqual(await exitCode(listen), 0, 'nobody listens');
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('ok\n');
    });
    await listening(t, server, port, parseListen(listen).host);
    assert.equal(await exitCode(listen), 0, 'somebody answers');
    assert.deepEqual(asked, ['GET /livez']);
  });
}

test('health check: what is listened on without a word about it', async (t) => {
  const busy = createPlainServer((socket) => socket.end('x\n'));
  const began = await listening(t, busy, 10190, '127.0.0.1').catch(() => undefined);
  if (began === undefined) return t.skip('another process listens on 10190');
  assert.equal(await exitCode(undefined), 0);
});

const answers: Readonly<Record<string, RequestListener>> = {
  'a refusal': (_, response) => response.writeHead(401).end(),
  'an error': (_, response) => response.writeHead(500).end(),
  'closed at once': ({ socket }) => socket.destroy(),
};

for (const [what, answer] of Object.entries(answers)) {
  test(`health check: ${what} is an answer`, async (t) => {
    const port = await freePort();
    await listening(t, createServer(answer), port, '127.0.0.1');
    assert.equal(await exitCode(`127.0.0.1:${port}`), 0);
  });
}

test('health check: a connection that is taken and never answered is none', async (t) => {
  const port = await freePort();
  const sockets: { destroy(): void }[] = [];
  await listening(
    t,
    createPlainServer((socket) => sockets.push(socket)),
    port,
    '127.0.0.1',
  );
  assert.notEqual(await exitCode(`127.0.0.1:${port}`), 0);
  for (const socket of sockets) socket.destroy();
});

test('health check: the exporter itself, with TLS and a token', async (t) => {
  const authority = createAuthority(t);
  authority.issue('agent');
  const web = join(authority.directory, 'web.yml');
  writeFileSync(
    web,
    `tls_server_config: {cert_file: agent.pem, key_file: agent.key}\nbearer_tokens: {watcher: ${'a'.repeat(64)}}\n`,
  );
  const exporter = await startExporter(t, ['--web-config-file', web]);
  assert.equal(await exitCode(`127.0.0.1:${exporter.port}`), 0);
});
