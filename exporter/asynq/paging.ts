/**
 * How many members to ask for at once. Redis has no way to ask how long the members of a set or
 * list are before it sends them, so the first few tell how many of the next fit into a reply of
 * bounded size. From one collection to the next that is known: then one reply has them all.
 */
export interface Paging {
  /** How many to ask for now. */
  next(): number;
  /** What came. */
  note(members: readonly Buffer[]): void;
}

const replyBytes = 256 * 1024;
const firstMembers = 16;

export function createPaging(mostMembers: number): Paging {
  let members = Math.min(firstMembers, mostMembers);
  return {
    next: () => members,
    note(came) {
      if (came.length === 0) return;
      const mean = bytesOf(came) / came.length;
      members = Math.max(1, Math.min(mostMembers, Math.floor(replyBytes / Math.max(1, mean))));
    },
  };
}

export const bytesOf = (values: readonly Buffer[]): number =>
  values.reduce((sum, { length }) => sum + length, 0);
