/** What no look at this machine can answer, and what costs hours all the same. */
import { cannotSee, type Check } from './check.ts';

const clientTimeOuts: Check = {
  id: 'client-timeouts',
  title: "Your application's calls to Redis end",
  why: 'On a frozen Redis a call of go-redis 9 with its defaults takes 3 s, and up to 12 s while there are connections from before; the deadline of a request does not cut it short, and Asynq passes the same on. One of ioredis is never answered. docs/your-application.md has two services with time-outs and a circuit breaker, and their figures.',
  source: 'nobody: the settings are in the code of the application',
  mends: [],
  question: true,
  check: () =>
    cannotSee(
      'look in its code, and in docs/your-application.md: a time-out of 1 s, no retry, a circuit breaker',
    ),
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
