/** What no look at this machine can answer, and what costs hours all the same. */
import { cannotSee, type Check } from './check.ts';

const clientTimeOuts: Check = {
  id: 'client-timeouts',
  title: "Your application's calls to Redis end",
  why: 'go-redis 9 with its defaults (3 s to read, three retries, a request context that does not cut it short) blocks one call on a frozen Redis for about 12 s, and asynq passes the same defaults on. Set ReadTimeout to 1 s, MaxRetries to 1, ContextTimeoutEnabled, and a circuit breaker before it.',
  source: 'nobody: the settings are in the code of the application',
  mends: [],
  question: true,
  check: () => cannotSee('look in its code: a time-out of 1 s, one retry, a circuit breaker'),
};

const reboot: Check = {
  id: 'reboot-from-outside',
  title: 'You can reset this machine from your phone',
  why: 'A thread that the host never wakes ends with a reset only, by the panel or the API of the provider: at six in the morning nobody should look for the password.',
  source: 'nobody: it is with the provider',
  mends: [],
  question: true,
  check: () => cannotSee("try it once: the provider's panel or API, with its token kept elsewhere"),
};

export const questions: readonly Check[] = [clientTimeOuts, reboot];
