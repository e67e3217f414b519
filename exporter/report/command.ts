/** `stealwatch report`: options, sources, findings, documents. */
import type { OneShot } from '../core/one-shot.ts';
import type { Facts } from './facts/facts.ts';

export const report: OneShot = ({ complain }) => {
  const facts: Facts | undefined = undefined;
  complain(facts ?? 'stealwatch report: nothing can be read yet\n');
  return Promise.resolve(1);
};
