/**
 * Which slot of a cluster a key is in: CRC16 of its hash tag, modulo 16384
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
 *
 * Not the package cluster-key-slot, which ioredis brings: of a queue called `}x` it takes x for the hash
 * tag, where Redis takes an empty one for none, and it would ask another node.
 */

export const slotCount = 16_384;

/** CRC-16/XMODEM, polynomial 0x1021, of every possible byte. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) {
    crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  }
  return crc & 0xffff;
});

/** What stands between the first brace and the next closing one, unless it is empty. */
function hashTag(key: Buffer): Buffer {
  const open = key.indexOf('{');
  if (open === -1) return key;
  const close = key.indexOf('}', open + 1);
  return close <= open + 1 ? key : key.subarray(open + 1, close);
}

export function slotOf(key: string | Buffer): number {
  let crc = 0;
  for (const byte of hashTag(Buffer.from(key))) {
    crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] ?? 0);
  }
  return crc % slotCount;
}
