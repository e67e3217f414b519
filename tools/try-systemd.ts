/**
 * Follows docs/install-systemd.md as it stands under a systemd that is process 1, on a Debian 12 of its own: installs,
 * kills, reloads, misspells, updates, adds the rescue, removes, and says what held.
 *
 *   npm run try-systemd            needs root, mmdebstrap, and a mount of cgroup v2
 *
 * Nothing outside is changed, and all of it goes away at the end, also where it is killed. About two minutes, and five more the
 * first time. Not seen here: what a memory controller of cgroup v1 keeps for itself, and the modules of a kernel.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../exporter/measure/errors.ts';
import { blocksOf } from './documents/blocks.ts';
import { startSystemd } from './rig/systemd.ts';

const guides = ['docs/install-systemd.md', 'docs/existing-prometheus.md'];
const blocks = guides.flatMap((guide) => blocksOf(guide, readFileSync(guide, 'utf8')));

/** Whole, by how it begins; the nth of those that begin so. */
function block(begins: string, nth = 0): string {
  const found = blocks.filter(({ text }) => text.startsWith(begins))[nth];
  if (found === undefined) throw new Error(`no block begins with ${begins}`);
  return found.text;
}

/** The package, and the Node it depends on for an npm without a network. */
function packed(to: string): void {
  const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    optionalDependencies: Readonly<Record<string, string>>;
  };
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', to]);
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const cache = join(to, 'npm-cache');
    execFileSync('npm', ['cache', 'add', '--cache', cache, `${name}@${version}`]);
  }
}

const npmSettings = String.raw`printf 'cache=/root/package/npm-cache\noffline=true\n' > /root/.npmrc`;
const shown = (unit: string) =>
  `systemctl show ${unit} -p ActiveState,SubState,NRestarts,ExecMainStatus,ControlGroup`;
/** But those of who asked what so far. */
const series = (port: number) =>
  `curl -s http://127.0.0.1:${port}/metrics | grep -v -e '^#' -e ^stealwatch_http_requests_total | sed 's/ [^ ]*$//' | sort`;
const setting = (line: string) => `echo ${line} >> /etc/stealwatch/environment`;
const withoutLast = `sed -i '$d' /etc/stealwatch/environment; systemctl reset-failed stealwatch; systemctl restart stealwatch`;

const debians = block('cd /usr/local/share')
  .replace('DISCORD_WEBHOOK_URL=...', 'DISCORD_WEBHOOK_URL=https://discord.com/api/webhooks/1/x')
  .replace('HEARTBEAT_URL=...', 'HEARTBEAT_URL=https://hc-ping.com/your-check');

interface Step {
  readonly what: string;
  readonly script: string;
  readonly holds: RegExp;
}

const steps: readonly Step[] = [
  {
    what: 'installed as the guide says, it answers',
    script: `${npmSettings}\nsudo npm install --global --prefix /opt/stealwatch ./stealwatch-*.tgz\n${block('sudo ln -sfn')}`,
    holds: /"status":"ok"/,
  },
  {
    what: 'it outlives what it answers, in a slice of its own',
    script: `for i in 1 2 3; do curl -s http://127.0.0.1:10190/metrics >/dev/null; sleep 2; done; ${shown('stealwatch')}`,
    holds:
      /NRestarts=0\n(?=[^]*ControlGroup=\/stealwatch\.slice\/stealwatch\.service)(?=[^]*SubState=running)/,
  },
  {
    what: 'by its unit and by hand as root: the same series',
    script: `${series(10190)} > unit
      STEALWATCH_REDIS_URL=redis://127.0.0.1:6379 STEALWATCH_LISTEN=127.0.0.1:10191 /opt/stealwatch/exporter/stealwatch > log &
      sleep 8; ${series(10191)} > hand; kill %1; diff unit hand && wc -l < unit`,
    holds: /^[1-9]\d\d+\n$/m,
  },
  {
    what: 'killed, it is back',
    script: `kill -9 $(systemctl show stealwatch -p MainPID --value); sleep 5; ${shown('stealwatch')}`,
    holds: /NRestarts=1\n[^]*SubState=running/,
  },
  {
    what: 'reload is heard',
    script: 'systemctl reload stealwatch; sleep 2; journalctl -u stealwatch -n 3 -o cat',
    holds: /nothing to read again/,
  },
  {
    what: 'a misspelled setting is no reason to try again',
    script: `${setting('STEALWATCH_REDIS_ULR=x')}; systemctl restart stealwatch; sleep 6; ${shown('stealwatch')}; ${withoutLast}`,
    holds: /NRestarts=0\n[^]*ExecMainStatus=2\n[^]*ActiveState=failed/,
  },
  {
    what: 'an address that comes late is waited for, whoever is impatient',
    script: `${setting('STEALWATCH_LISTEN=10.8.0.99:10190')}
      for i in 1 2 3 4 5 6; do systemctl restart stealwatch; sleep 0.5; done; sleep 12
      ip addr add 10.8.0.99/32 dev lo; curl -s --retry 15 --retry-delay 1 --retry-connrefused http://10.8.0.99:10190/livez
      ${withoutLast}`,
    holds: /^ok$/m,
  },
  {
    what: 'updated, with its settings',
    script: `${block('sudo npm install --global --prefix /opt/stealwatch ./stealwatch')}; sleep 5; cat /etc/stealwatch/environment; ${shown('stealwatch')}`,
    holds: /STEALWATCH_REDIS_URL=redis[^]*SubState=running/,
  },
  {
    what: 'the rescue watches',
    script: `${block('sudo cp /opt/stealwatch/lib/node_modules/stealwatch/deploy/stealwatch-rescue')}; sleep 6; journalctl -u stealwatch-rescue -o cat`,
    holds: /the exporter answers/,
  },
  {
    what: 'the rescue is updated',
    script: `${block('sudo cp /opt/stealwatch/lib/node_modules/stealwatch/deploy/stealwatch-rescue', 1)}; sleep 6; ${shown('stealwatch-rescue')}`,
    holds: /SubState=running/,
  },
  {
    what: "Debian's Prometheus and Alertmanager take it over, on a machine without a private address",
    script: `${debians}; sleep 10; systemctl is-active prometheus prometheus-alertmanager
      curl -s 'http://127.0.0.1:9090/api/v1/query?query=up%7Bjob="stealwatch"%7D'`,
    holds: /active\nactive\n[^]*"host":"vps1"[^]*"1"\]/,
  },
  {
    what: 'removed, nothing is left',
    script: `${block('sudo systemctl disable --now stealwatch-rescue')}\n${block('sudo systemctl disable --now stealwatch\n')}
      rm -r /etc/prometheus/stealwatch /usr/local/share/stealwatch
      echo left: $(find / /run /sys/fs/cgroup /var -xdev -name '*stealwatch*' -not -path '/root/*') $(systemctl list-units --all --no-legend '*stealwatch*')`,
    holds: /^left:$/m,
  },
];

async function main(): Promise<void> {
  const systemd = await startSystemd(packed);
  try {
    for (const { what, script, holds } of steps) {
      const said = systemd.run(script);
      const held = holds.test(said);
      process.stdout.write(`${held ? 'ok  ' : 'FAIL'} ${what}\n${held ? '' : said}`);
      if (!held) process.exitCode = 1;
    }
  } finally {
    await systemd.stop();
  }
}

// systemd ends with this process; its files are taken away by the next run at the latest.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await main().catch((error: unknown) => {
  process.stderr.write(`try-systemd: ${messageOf(error)}\n`);
  process.exitCode = 1;
});
