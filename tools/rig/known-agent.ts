/** What an agent and its watcher share: a certificate and a token, as docs/watching-from-outside.md has them made. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from './certificates.ts';
import type { Scope } from './redis-server.ts';

export const agentToken = 'correct-token';
const hash = createHash('sha256').update(agentToken).digest('hex');

/** `more`: lines of the web configuration. */
export function agentAccess(scope: Scope, more = '') {
  const authority = createAuthority(scope);
  authority.issue('agent');
  const { directory, caFile } = authority;
  const web = join(directory, 'web.yml');
  writeFileSync(
    web,
    `tls_server_config: {cert_file: agent.pem, key_file: agent.key}
bearer_tokens: {watcher: ${hash}}
${more}`,
  );
  return { directory, caFile, web };
}
