/** What was refused, in a sentence, with what is behind it where that can be told. */
import type { Refusals } from './ask.ts';

/** A node of a cluster that was given as a single server knows only its own keys. */
export function explained(message: string, isCluster: boolean): string {
  if (isCluster || !/\b(?:MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b/.test(message)) return message;
  return `this is a node of a cluster: its address is redis+cluster://HOST:PORT (Redis says: ${message})`;
}

export function sentenceOf({ first, count }: Refusals, isCluster: boolean): string {
  const more = count > 1 ? `, and ${count - 1} more` : '';
  return `part of it cannot be read: ${explained(first, isCluster)}${more}`;
}
