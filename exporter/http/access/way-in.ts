/** How a command of ours gets to a running exporter: over TLS or not, whom to trust, and as whom. */
import type { GetOptions } from '../../core/http-get.ts';
import { messageOf } from '../../measure/errors.ts';
import { readWebConfig, type WebConfig } from './config.ts';

export interface ExporterPlace {
  readonly url: URL;
  /** Somebody named the URL; else it is where the exporter listens, in whichever way. */
  readonly named: boolean;
  readonly token: string | undefined;
  /** Of the exporter: whether it speaks TLS, and with which certificate. */
  readonly webConfigFile: string | undefined;
  /** What the setting is called that names the file, as it was set. */
  readonly webConfigName?: string;
}

export type ReadText = (path: string) => Promise<string>;

export interface Way {
  readonly url: URL;
  readonly options: Required<Pick<GetOptions, 'headers' | 'trust'>>;
}

/** The exporter may have started with an earlier one: how to ask it is not known then. */
async function webConfigOf(
  { webConfigFile, webConfigName = '--web-config-file' }: ExporterPlace,
  read?: ReadText,
): Promise<Pick<WebConfig, 'tls'>> {
  if (webConfigFile === undefined) return {};
  try {
    return await readWebConfig(webConfigFile, read);
  } catch (error) {
    const problems = messageOf(error).replaceAll('\n', '; ');
    throw new Error(`how to ask it is not known, ${webConfigName}: ${problems}`, { cause: error });
  }
}

/** The certificate is the exporter's own, by its own file: whatever name stands in it, it is the one. */
export async function wayTo(place: ExporterPlace, read?: ReadText): Promise<Way> {
  const { url, named, token } = place;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const { tls } = await webConfigOf(place, read);
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
