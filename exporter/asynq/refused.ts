/** What was refused, in a sentence, with what is behind it where that can be told. */
import type { Refusals } from './ask.ts';

/** A node of a cluster that was given as a single server knows only its own keys. */
export function explained(message: string, isCluster: boolean): string {
  if (/\bCLUSTERDOWN\b/.test(message)) {
    return `no key can be read, slots of the cluster are served by nobody (Redis says: ${message})`;
  }
  if (isCluster || !/\b(?:MOVED|ASK|CROSSSLOT)\b/.test(message)) return message;
  return `this is a node of a cluster: its address is redis+cluster://HOST:PORT (Redis says: ${message})`;
}

export function sentenceOf({ first, count }: Refusals, isCluster: boolean): string {
  const more = count > 1 ? `, and ${count - 1} more` : '';
  return `part of it cannot be read: ${explained(first, isCluster)}${more}`;
}
