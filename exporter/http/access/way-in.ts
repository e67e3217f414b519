/** How a command of ours gets to a running exporter: over TLS or not, whom to trust, and as whom. */
import type { GetOptions } from '../../core/http-get.ts';
import { readWebConfig } from './config.ts';

export interface ExporterPlace {
  readonly url: URL;
  /** Somebody named the URL; else it is where the exporter listens, in whichever way. */
  readonly named: boolean;
  readonly token: string | undefined;
  /** Of the exporter: whether it speaks TLS, and with which certificate. */
  readonly webConfigFile: string | undefined;
}

export type ReadText = (path: string) => Promise<string>;

export interface Way {
  readonly url: URL;
  readonly options: Required<Pick<GetOptions, 'headers' | 'trust'>>;
}

/** The certificate is the exporter's own, by its own file: whatever name stands in it, it is the one. */
export async function wayTo(
  { url, named, token, webConfigFile }: ExporterPlace,
  read?: ReadText,
): Promise<Way> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { tls } = webConfigFile === undefined ? {} : await readWebConfig(webConfigFile, read);
  if (tls === undefined || (named && url.protocol === 'http:')) {
    return { url, options: { headers, trust: {} } };
  }
  if (tls.clientCertificate) {
    throw new Error('it asks its clients for a certificate, and we have none');
  }
  const secure = new URL(url);
  secure.protocol = 'https:';
  const { cert } = tls.context;
  const pinned = { allowPartialTrustChain: true, checkServerIdentity: () => undefined };
  const trust = named || cert === undefined ? {} : { ca: String(cert), ...pinned };
  return { url: secure, options: { headers, trust } };
}

/** Rejects what asks who we are, or does not take who we say. */
export function refuseCredentialsWanted(status: number, { url, options }: Way): void {
  if (status !== 401 && status !== 403) return;
  if (url.username !== '' || 'authorization' in options.headers) {
    throw new Error(`it does not take the credentials that it was given (HTTP ${status})`);
  }
  throw new Error(
    `it asks for credentials (HTTP ${status}): put them into STEALWATCH_EXPORTER_URL, http://USER:PASSWORD@HOST:PORT, or into STEALWATCH_EXPORTER_TOKEN`,
  );
}
