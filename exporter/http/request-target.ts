/**
 * What a request asks for, before anything that can fail reads it. Koa hands whatever is no plain
 * path to `url.parse`, which throws for some and warns on standard error for others, and does so
 * where nothing catches it. So nothing but a plain path goes on.
 */

/** Visible ASCII and no fragment: what RFC 9112 allows, and what is read without `url.parse`. */
const originForm = /^\/[!"$-~]*$/;
/** As a proxy is asked. Of whom it names only `/evidence` makes a difference. */
const absoluteForm =
  /^https?:\/\/(?<host>(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?)(?<rest>[/?].*)?$/i;

/** The path and query; undefined for what names no path (an authority, `*`) or is malformed. */
export function targetOf(raw: string): string | undefined {
  const absolute = absoluteForm.exec(raw);
  if (absolute === null) return originForm.test(raw) ? raw : undefined;
  const rest = absolute.groups?.['rest'] ?? '/';
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  return originForm.test(target) ? target : undefined;
}

/** Whom a target in absolute form names: that, and not the header Host, is who was asked for (RFC 9112, 3.2.2). */
export function hostOf(raw: string): string | undefined {
  return absoluteForm.exec(raw)?.groups?.['host'];
}

export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
