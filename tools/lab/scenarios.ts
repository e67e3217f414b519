/** The scenarios, in the order they run. */
import { token } from './access.ts';
import { exporter, type Lab } from './lab.ts';

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** What is done, in a sentence or two, for the report. */
  readonly what: string;
  /** CPU model of the VPS: `host` offers async page faults, a named model does not. */
  readonly cpu: 'host' | 'EPYC';
  /** It ends with a reset of the VPS; what a machine would keep is kept. */
  readonly resets?: true;
  /** Resolves when the event is over. It began with the first note. */
  readonly run: (lab: Lab) => Promise<void>;
}

const quiet: Scenario = {
  name: 'quiet',
  title: 'Quiet',
  what: 'Nothing happens but a read and a PING a second. What moves here is the noise of the emulation. Its steal is real for the VPS, whose vCPUs wait for the two cores of the emulated host: so a quiet host is not to be had here, and cpu_steal is the right answer.',
  cpu: 'host',
  async run(lab) {
    lab.note('nothing happens');
    await lab.wait(90);
    await lab.quote();
  },
};

/** HostPageInThrash wants to see five minutes of it. */
const slowSeconds = 380;

const slowDisk: Scenario = {
  name: 'slow-disk',
  title: 'The host swaps the VPS, to a slow disk',
  what: 'Every 40 s the host moves the data set of Redis and the idle pages to its swap, whose disk does 250 reads a second; Redis is read at random.',
  cpu: 'host',
  async run(lab) {
    await lab.machine.swapReads(250);
    lab.read(20);
    const end = Date.now() + slowSeconds * 1000;
    for (let first = true; Date.now() < end; first = false) {
      const redis = await lab.pageOut('redis');
      const canary = await lab.pageOut('canary');
      if (first) lab.note(`paged out: Redis ${redis}; idle pages ${canary}`);
      await lab.wait(40);
    }
    await lab.quote();
    await lab.machine.swapReads('all');
  },
};

/**
 * Lets what is in constant use come back: the buffers that the kernel copies to and from. Else it
 * is the kernel that touches a missing page, and then the whole vCPU stands still.
 */
async function warmUp(lab: Lab): Promise<void> {
  lab.read(500);
  await lab.wait(15);
}

/** Until redis-server has slept for 80 s. */
async function stallSwap(lab: Lab): Promise<void> {
  const redis = await lab.pageOut('redis');
  const canary = await lab.pageOut('canary');
  await warmUp(lab);
  await lab.machine.swapReads('none');
  lab.note(`swap reads stop; paged out: Redis ${redis}; idle pages ${canary}`);
  lab.read(50);
  await lab.redisIs('D', 60);
  lab.note('redis-server is in D state');
  await lab.wait(80);
  await lab.quote();
}

async function diskComesBack(lab: Lab): Promise<void> {
  await lab.machine.swapReads('all');
  lab.note('swap reads come back');
}

async function redisAnswersAgain(lab: Lab): Promise<void> {
  await lab.redisIs('S', 60);
  lab.note('redis-server answers again');
}

const stall: Scenario = {
  name: 'stall',
  title: "The host's swap stands still",
  what: "The data set and the idle pages are in the host's swap, and the host can read no swap for 80 s: redis-server sleeps in the kernel. Then the disk comes back.",
  cpu: 'host',
  async run(lab) {
    await stallSwap(lab);
    await diskComesBack(lab);
    await redisAnswersAgain(lab);
    await lab.wait(25);
  },
};

/** Long enough for the kernel of the new boot to have said what it says. */
async function resetAndWait(lab: Lab): Promise<void> {
  await lab.reset();
  await lab.wait(10);
}

const stallReset: Scenario = {
  name: 'stall-reset',
  title: "The host's swap stands still, and the VPS is reset",
  what: 'As above, but the disk does not come back: after 80 s of sleep the VPS is reset. What a machine keeps on its disk, and what a prober outside fetched, is kept.',
  cpu: 'host',
  resets: true,
  async run(lab) {
    await stallSwap(lab);
    await resetAndWait(lab);
  },
};

/** The vCPU that redis-server sleeps on, whose message nobody will send again. */
async function loseMessage(lab: Lab): Promise<number> {
  const { machine } = lab;
  await lab.pageOut('redis');
  await warmUp(lab);
  await machine.swapReads('none');
  lab.note('swap reads stop');
  lab.read(50);
  await lab.redisIs('D', 60);
  const { cpu } = await lab.redisTask();
  lab.note(`redis-server is in D state on vCPU ${cpu}`);
  // Where the vCPU's own thread waits for the disk as well, it can be stopped only once that is
  // back: so the tool is started first, and stops it before it can pick the message up.
  machine.provider.send(`(lose $(cat /tmp/vm.pid) ${cpu} > /tmp/lose.log 2>&1 &)`);
  await lab.wait(10);
  await diskComesBack(lab);
  const forgot = await machine.provider.run(
    'while pidof lose > /dev/null; do sleep 1; done; cat /tmp/lose.log',
  );
  lab.note(`the host forgot the message: ${forgot}`);
  if (!forgot.includes('returned 1')) throw new Error(`nothing was forgotten: ${forgot}`);
  for (let i = 0; i < 3; i++) {
    await lab.pageOut('canary');
    await lab.wait(20);
  }
  await lab.quote();
  return cpu;
}

const rescueLog = '/tmp/rescue.log';

/** `stealwatch rescue --watch` beside the exporter, as its unit starts it. Resolves when it could write. */
async function watchForRescue({ machine: { vps } }: Lab, stuckAfter: number): Promise<void> {
  vps.send(
    `STEALWATCH_EXPORTER_TOKEN=${token} ${exporter} rescue --watch http://127.0.0.1:10190 --stuck-after ${stuckAfter} --out /tmp > ${rescueLog} 2>&1 &`,
  );
  await vps.run(`until grep -q 'ready to write' ${rescueLog}; do sleep 1; done`, 400);
}

/** Until it writes, without a touch of ours. */
async function watcherWrites(lab: Lab, seconds: number): Promise<void> {
  const { vps } = lab.machine;
  await vps.run(`until grep -q 'writing the async' ${rescueLog}; do sleep 1; done`, seconds);
  const { state } = await lab.redisTask();
  lab.note(`the watcher writes the MSR back; redis-server is in state ${state}`);
}

/** What it did, in its own words, once it is over. */
async function watcherSays(lab: Lab): Promise<void> {
  const lines = await lab.machine.vps.run(
    `until grep -q '"result"' ${rescueLog}; do sleep 1; done; grep -E '"msg":"(vCPU|The async)' ${rescueLog}`,
    240,
  );
  // Among prompts of the shell.
  for (const [, text = ''] of lines.matchAll(/"msg":"((?:vCPU|The async)[^"]*)"/g)) {
    lab.note(`the watcher says: "${text}"`);
  }
}

const lost: Scenario = {
  name: 'lost',
  title: 'A lost page-ready message, and nobody there but the watcher',
  what: 'While redis-server sleeps for a page, the host forgets the message it owes the vCPU; then its disk comes back, and other pages with it. Redis sleeps on until `stealwatch rescue --watch`, which runs beside the exporter, writes the async page fault MSR of that vCPU back. Nobody touches the VPS.',
  cpu: 'host',
  async run(lab) {
    await watchForRescue(lab, 180);
    await loseMessage(lab);
    const { state } = await lab.redisTask();
    lab.note(`redis-server is still in state ${state}; nobody touches it`);
    await watcherWrites(lab, 300);
    await redisAnswersAgain(lab);
    await watcherSays(lab);
    await lab.wait(25);
  },
};

const stallRescue: Scenario = {
  name: 'stall-rescue',
  title: "The host's swap stands still, and the watcher writes",
  what: 'As the stall, with `stealwatch rescue --watch --stuck-after 60` beside the exporter: it cannot know that nothing was lost, and writes while the host can read no swap. Then the disk comes back.',
  cpu: 'host',
  async run(lab) {
    await watchForRescue(lab, 60);
    await stallSwap(lab);
    await watcherWrites(lab, 180);
    await watcherSays(lab);
    await lab.quote();
    await diskComesBack(lab);
    await redisAnswersAgain(lab);
    await lab.wait(25);
  },
};

const lostReset: Scenario = {
  name: 'lost-reset',
  title: 'A lost page-ready message, and the VPS is reset',
  what: 'As above, but nobody writes the MSR: Redis sleeps on, while other pages come back, until the VPS is reset. What a machine keeps on its disk, and what a prober outside fetched, is kept.',
  cpu: 'host',
  resets: true,
  async run(lab) {
    await loseMessage(lab);
    await resetAndWait(lab);
  },
};

/** A shell command that starts so many busy loops. */
const loops = (count: number) =>
  `n=0; while [ $n -lt ${count} ]; do (while :; do :; done) & echo $! >> /tmp/loops; n=$((n+1)); done`;

const steal: Scenario = {
  name: 'steal',
  title: 'The host takes the CPU',
  what: 'Three busy processes of the host compete with the two vCPUs, on which a busy loop of our own runs. (With four and two, 30 of 36 scrapes did not come through in time.)',
  cpu: 'host',
  async run(lab) {
    const { machine } = lab;
    await machine.vps.run(loops(1));
    await machine.provider.run(loops(3));
    lab.note('the neighbours begin');
    await lab.wait(120);
    await lab.quote();
    for (const one of [machine.provider, machine.vps]) {
      await one.run('kill -9 $(cat /tmp/loops); rm /tmp/loops', 120);
    }
    lab.note('the neighbours end');
    await lab.wait(10);
  },
};

const silent: Scenario = {
  name: 'no-async-page-faults',
  title: 'The host swaps the VPS and does not tell',
  what: 'As the slow disk, three rounds of it, on a VPS with a named CPU model (-cpu EPYC), which is offered no async page faults.',
  cpu: 'EPYC',
  async run(lab) {
    await lab.machine.swapReads(250);
    lab.read(20);
    for (let i = 0; i < 3; i++) {
      const redis = await lab.pageOut('redis');
      const canary = await lab.pageOut('canary');
      if (i === 0) lab.note(`paged out: Redis ${redis}; idle pages ${canary}`);
      await lab.wait(40);
    }
    await lab.quote();
    await lab.machine.swapReads('all');
  },
};

/** Number, name and state of each thread that the exporter has left. */
async function exporterThreads({ machine }: Lab): Promise<string> {
  const text = await machine.vps.run(
    'for t in /proc/$(cat /tmp/exporter.pid)/task/*/stat; do cut -d" " -f1-3 $t; done',
  );
  const threads = text.split('\n').filter((line) => /^\d+ \(.+\) \w$/.test(line));
  return threads.join(', ') || 'nothing';
}

/** The exporter's own canary sleeps in the kernel, where no signal reaches it. */
const shutdown: Scenario = {
  name: 'shutdown',
  title: 'The exporter is told to end while its canary is stuck',
  what: "The idle pages are in the host's swap, which stands still; the canary's thread sleeps in the kernel. Then the exporter gets SIGTERM.",
  cpu: 'host',
  async run(lab) {
    const { machine } = lab;
    const { vps } = machine;
    await lab.pageOut('canary');
    await lab.wait(5);
    await machine.swapReads('none');
    lab.note('swap reads stop');
    await lab.canaryWaits(30, 120);
    await lab.quote();
    lab.note(`threads: ${await exporterThreads(lab)}; SIGTERM`);
    const asked = performance.now();
    await vps.run(
      'kill $(cat /tmp/exporter.pid); until grep -q "^State:.Z" /proc/$(cat /tmp/exporter.pid)/status; do sleep 1; done',
      60,
    );
    const took = Math.ceil((performance.now() - asked) / 1000);
    lab.note(`the main thread has ended within ${took} s; left: ${await exporterThreads(lab)}`);
    await machine.swapReads('all');
    await lab.wait(15);
    // The shell collects its dead children when it has run something.
    await vps.run('cat /dev/null');
    lab.note(`after swap reads came back there is left: ${await exporterThreads(lab)}`);
  },
};

export const scenarios: readonly Scenario[] = [
  stall,
  stallReset,
  stallRescue,
  lost,
  lostReset,
  slowDisk,
  quiet,
  steal,
  shutdown,
  silent,
];
