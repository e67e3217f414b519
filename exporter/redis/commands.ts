/** What is sent to Redis and what comes back, as plain data. */

/** Name and arguments, as on the wire. */
export type RedisCommand = readonly [string, ...(string | number | Buffer)[]];

export type Reply = string | number | null | Buffer | Error | Reply[];

/** Wants to know the first replies of several, whether or not the others come. */
export interface FirstReplies {
  readonly count: number;
  tell(replies: readonly Reply[]): void;
}

/** Arguments of the probe are words: RESP2, an array of bulk strings for each command. */
export function encode(commands: readonly RedisCommand[]): string {
  return commands
    .map((command) => {
      const words = command.map(String);
      return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
    })
    .join('');
}
