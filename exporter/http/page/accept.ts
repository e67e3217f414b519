/** What a client says it takes. */
import type { Format } from '../../exposition/metrics.ts';

/**
 * By media type. Parameters other than q are passed over (Prometheus 3 sends `escaping=`), which is why
 * Koa's own negotiation does not do.
 */
function weightsOf(accept: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    weights.set(type, Math.max(weights.get(type) ?? 0, Number(weight) || 0));
  }
  return weights;
}

/** OpenMetrics when it is asked for at least as much as text/plain. */
export function formatOf(accept: string): Format {
  const weights = weightsOf(accept);
  const openmetrics = weights.get('application/openmetrics-text') ?? 0;
  return openmetrics > 0 && openmetrics >= (weights.get('text/plain') ?? 0)
    ? 'openmetrics'
    : 'text';
}

/** Browsers name it; curl takes anything, and a person reads what it prints. */
export function wantsHtml(accept: string): boolean {
  const weights = weightsOf(accept);
  const html = weights.get('text/html') ?? 0;
  return html > 0 && html >= (weights.get('text/plain') ?? 0);
}
