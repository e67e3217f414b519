/**
 * One GET with a deadline, for health endpoints and heartbeats. node:http rather than fetch, which
 * costs 5 to 8 MB of memory. The body is thrown away; redirects are answers, not orders.
 */
import { get as getHttp, type IncomingMessage } from 'node:http';
import { version } from './version.ts';

/** Resolves to the HTTP status. Rejects with an error that never holds the URL, which may be secret. */
export function httpStatus(url: URL, deadlineMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    // TLS costs 4 MB of memory: not before somebody uses it.
    const get = url.protocol === 'https:' ? process.getBuiltinModule('node:https').get : getHttp;
    const request = get(
      url,
      { agent: false, headers: { 'user-agent': `stealwatch/${version}` } },
      (response: IncomingMessage) => {
        clearTimeout(timer);
        response.destroy();
        resolve(response.statusCode ?? 0);
      },
    );
    // Not request.setTimeout: that one waits for silence, this for the answer.
    const timer = setTimeout(() => {
      request.destroy();
      reject(new Error(`no answer within ${deadlineMs / 1000} s`));
    }, deadlineMs);
    request.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new Error(error.code ?? 'request failed'));
    });
  });
}
