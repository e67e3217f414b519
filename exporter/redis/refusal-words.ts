/**
 * The words with which a Redis that runs turns a command away for what is the matter with itself,
 * and not with who asks: none of them is an empty answer, a 0 or a missing right.
 */
const meanings = {
  MISCONF: 'its last save failed, and it refuses writes until one succeeds',
  NOREPLICAS: 'it has fewer replicas than min-replicas-to-write asks for, and refuses writes',
  MASTERDOWN: 'it is a replica that has lost its master, and replica-serve-stale-data is no',
  CLUSTERDOWN:
    'slots of its cluster are served by nobody (redis-cli --cluster check HOST:PORT tells which)',
  BUSY: 'a script, a function or a module has been running in it for long',
  LOADING: 'it is loading its data set',
} as const;

export type RefusalWord = keyof typeof meanings;

const isWord = (text: string): text is RefusalWord => Object.hasOwn(meanings, text);

/** Of a reply, or of an error in which the place of the node may stand before it. */
export function refusalWord(text: string): RefusalWord | undefined {
  const word = /(?:^-?|: )([A-Z]{4,})(?= |$)/.exec(text)?.[1];
  return word !== undefined && isWord(word) ? word : undefined;
}

export const meaningOf = (word: RefusalWord): string => meanings[word];
