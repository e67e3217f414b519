/** What a file of a setting holds, where OpenSSL would take one that holds nothing without a word. */
import { readSmallFileSync, whyUnreadable } from '../core/read-file.ts';

export type PemContent = 'certificates' | 'a private key';

const marks: Readonly<Record<PemContent, RegExp>> = {
  certificates: /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/,
  'a private key': /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/,
};

/** For the start, which may wait for a file. Shows nothing of what is in it. */
export function pemProblems(name: string, path: string, content: PemContent): string[] {
  const expected = `${name}: expected a file with ${content} in PEM`;
  try {
    return marks[content].test(readSmallFileSync(path).toString('latin1'))
      ? []
      : [`${expected}, found none`];
  } catch (error) {
    return [`${expected}, and cannot read it (${whyUnreadable(error)})`];
  }
}
