/** Evidence is for those who are known: the exporter of the VPS asks for this token, for every path. */
import { createHash } from 'node:crypto';

export const token = 'of-the-lab';
export const headers = { Authorization: `Bearer ${token}` } as const;

/** The web configuration file, in a line. */
export const webConfig = `bearer_tokens: { lab: ${createHash('sha256').update(token).digest('hex')} }`;
