/** What is longer was never measured. */
const mostSeconds = 1000 * 365.25 * 86_400;

/**
 * A length of time for people: `0.3 ms`, `250 ms`, `1.5 s`, `41 s`, `12 min`, `4 h 5 min`, `3 d 2 h`.
 * The one way in which pages, findings and documents say one.
 */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'an unknown time';
  if (seconds > mostSeconds) return 'over 1000 years';
  if (seconds < -mostSeconds) return 'an unknown time';
  if (seconds < 0) return `-${durationText(-seconds)}`;
  if (seconds === 0) return '0 s';
  if (seconds < 0.00995) return `${Number((seconds * 1000).toFixed(1))} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
