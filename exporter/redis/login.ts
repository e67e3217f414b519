/** What is said to a Redis before anything is asked, and what its answers mean. */
import type { RedisAddress } from './address.ts';

/** Redis without a password says so when it is given one; it works all the same. */
export function isNeedlessPassword(error: string): boolean {
  return /without any password configured|no password is set/.test(error);
}

/** Redis before 6 knows no user names: AUTH takes the password alone. */
export function wantsPasswordAlone(error: string): boolean {
  return /wrong number of arguments for .?auth/i.test(error);
}

/** AUTH as this Redis takes it; undefined when there is no password. */
export function authCommand(
  { username, password }: RedisAddress,
  passwordAlone: boolean,
): readonly [string, ...string[]] | undefined {
  if (password === undefined) return undefined;
  if (username === undefined || passwordAlone) return ['AUTH', password];
  return ['AUTH', username, password];
}

export function selectCommand({ db }: RedisAddress): readonly [string, ...string[]] | undefined {
  return db === 0 ? undefined : ['SELECT', String(db)];
}
