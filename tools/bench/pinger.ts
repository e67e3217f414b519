/** PINGs Redis from a thread of its own, whose event loop nothing else keeps busy. */
/* oxlint-disable unicorn/require-post-message-target-origin -- worker threads have no origins */
import { connect } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export interface Pinger {
  /** Ends it and gives what each PING waited, in seconds. */
  stop(): Promise<number[]>;
}

export async function startPinger(port: number): Promise<Pinger> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { port } });
  await new Promise((resolve) => worker.once('message', resolve));
  return {
    async stop() {
      const waits = new Promise<number[]>((resolve) => worker.once('message', resolve));
      worker.postMessage('stop');
      return waits;
    },
  };
}

function ping(port: number): void {
  const socket = connect(port, '127.0.0.1');
  const waits: number[] = [];
  let sent = 0;
  const send = () => {
    sent = performance.now();
    socket.write('PING\r\n');
  };
  socket.setNoDelay(true);
  socket.on('connect', () => {
    parentPort?.postMessage('connected');
    send();
  });
  socket.on('data', () => {
    waits.push((performance.now() - sent) / 1000);
    setTimeout(send, 1);
  });
  parentPort?.on('message', () => {
    parentPort?.postMessage(waits);
    socket.destroy();
    parentPort?.close();
  });
}

const given: unknown = workerData;
if (!isMainThread && typeof given === 'object' && given !== null && 'port' in given) {
  ping(Number(given.port));
}
