/** deploy/stealwatch.service and .slice: what each line is for. A line without a reason here fails. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

/** Settings in their order, by section. */
function sectionsOf(path: string): Record<string, [string, string][]> {
  const sections: Record<string, [string, string][]> = {};
  let section = '';
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const line of lines.filter((one) => one !== '' && !one.startsWith('#'))) {
    const header = /^\[(.*)\]$/.exec(line)?.[1];
    if (header !== undefined) sections[(section = header)] = [];
    else {
      const equals = line.indexOf('=');
      sections[section]?.push([line.slice(0, equals), line.slice(equals + 1)]);
    }
  }
  return sections;
}

const sections = sectionsOf('deploy/stealwatch.service');

type Reasons = Readonly<Record<string, string>>;

/** SETTING=VALUE, and why. */
const service: Reasons = {
  'ExecStart=/opt/stealwatch/exporter/stealwatch': 'where docs/install-systemd.md puts it',
  'ExecReload=/bin/kill -HUP $MAINPID': 'reads the web configuration again at once',
  'EnvironmentFile=-/etc/stealwatch/environment': 'settings; all of them have a default',
  'Restart=always': 'one that died and stayed away is silence, whatever its status was',
  'RestartSec=2': 'two scrapes are missed, no more',
  'RestartPreventExitStatus=2': 'settings that are wrong stay wrong: systemctl --failed shows it',
  'TimeoutStopSec=5': 'in D state it cannot be killed, and nothing waits for it',
  'OOMScoreAdjust=-900': 'it outlives what it watches',
  'Slice=stealwatch.slice': 'whose protection is not cut by that of system.slice, which is none',
  'MemoryMin=96M': 'and keeps its memory when others are pressed',
  'MemorySwapMax=0': 'swapped out it would sleep when it is needed',
  'MemoryMax=256M': 'one that leaks is killed and not its neighbours',
  'TasksMax=32': 'threads of Node and of nobody else',
  'CPUWeight=1000': 'it measures time',
  'DynamicUser=yes': 'a user that owns nothing',
  'AmbientCapabilities=CAP_SYSLOG CAP_SYS_PTRACE': '/dev/kmsg; wait channels of other users',
  'CapabilityBoundingSet=CAP_SYSLOG CAP_SYS_PTRACE': 'and nothing beyond, ever',
  'NoNewPrivileges=yes': 'nor by a program with a set-user-ID bit',
  'DevicePolicy=closed': 'no device',
  'DeviceAllow=/dev/kmsg r': 'but the kernel log, to read',
  'ProtectSystem=strict': 'writes nowhere',
  'ProtectHome=yes': 'reads no home',
  'PrivateTmp=yes': 'shares no /tmp',
  'ProtectClock=yes': 'sets no clock',
  'ProtectControlGroups=yes': 'reads cgroups, changes none',
  'ProtectHostname=yes': 'renames nothing',
  'ProtectKernelModules=yes': 'loads no module',
  'ProtectKernelTunables=yes': 'writes nothing below /proc/sys',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX':
    'HTTP and Redis, by address or socket; netlink, to know its own addresses',
  'RestrictNamespaces=yes': 'makes no namespace',
  'RestrictRealtime=yes': 'cannot take the CPU for good',
  'RestrictSUIDSGID=yes': 'leaves no such file behind',
  'LockPersonality=yes': 'nothing needs another',
  'SystemCallArchitectures=native': 'the filter holds for one set of calls',
  'SystemCallFilter=@system-service': 'what a service needs',
  'SystemCallFilter=~@debug process_vm_readv process_vm_writev':
    'after it, which holds these: with CAP_SYS_PTRACE they write into any process',
  'SystemCallErrorNumber=EPERM': 'a refused call is an error that is told, not a kill',
  'UMask=0077': 'what it writes nobody reads',
};

const others: Readonly<Record<string, Reasons>> = {
  Unit: {
    "Description=stealwatch: is the host taking this machine's CPU or memory?":
      'in systemctl status',
    'Documentation=https://github.com/stealwatch/stealwatch': 'where to read on',
    'After=network.target': 'and after nothing that can hang: it runs when Redis does not',
    'StartLimitIntervalSec=0':
      'an address or a disk that comes late is waited for, whoever typed restart meanwhile',
  },
  Install: { 'WantedBy=multi-user.target': 'it is there after a reboot' },
};

for (const [name, reasons] of Object.entries({ ...others, Service: service })) {
  test(`stealwatch.service, [${name}]: every line, in its order`, () => {
    const lines = (sections[name] ?? []).map(([key, value]) => `${key}=${value}`);
    assert.deepEqual(lines, Object.keys(reasons));
  });
}

test('stealwatch.service: no other section, and none of what hides what it reads', () => {
  assert.deepEqual(new Set(Object.keys(sections)), new Set(['Unit', 'Service', 'Install']));
  const keys = new Set(Object.values(sections).flatMap((lines) => lines.map(([key]) => key)));
  const hiding = [
    'PrivateDevices',
    'ProtectKernelLogs',
    'ProcSubset',
    'ProtectProc',
    'PrivatePIDs',
  ];
  for (const key of [...hiding, 'PrivateUsers', 'PrivateNetwork', 'MemoryDenyWriteExecute']) {
    assert.ok(!keys.has(key), `${key} hides what this process is there to read, or stops Node`);
  }
});

test('stealwatch.slice: protects as much as the service asks for, beside system.slice', () => {
  const slice = sectionsOf('deploy/stealwatch.slice');
  assert.deepEqual(Object.keys(slice), ['Unit', 'Slice']);
  assert.deepEqual(slice['Slice'], [
    ['MemoryMin', '96M'],
    ['CPUWeight', '1000'],
  ]);
  // A name without a dash: nothing lies between it and the root, which would have to protect too.
  assert.deepEqual(Object.fromEntries(sections['Service'] ?? [])['Slice'], 'stealwatch.slice');
  // What is resident is not all: page tables, sockets and file pages count in the group as well.
  const guide = readFileSync('docs/install-systemd.md', 'utf8');
  const inUse = /(\d+) MB in use\s+in its group/.exec(guide)?.[1];
  assert.ok(Number(inUse) < 96, `MemoryMin is less than the ${inUse} MB that docs measured`);
});

test('units: systemd reads them', (t) => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) return t.skip('no systemd here');
  const folder = mkdtempSync(join(tmpdir(), 'stealwatch-units-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const units = ['stealwatch.service', 'stealwatch.slice', 'stealwatch-rescue.service'].map(
    (name) => {
      const text = readFileSync(`deploy/${name}`, 'utf8');
      writeFileSync(join(folder, name), text.replaceAll(/^(Exec\w+)=.*/gm, '$1=/bin/true'));
      return join(folder, name);
    },
  );
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...units], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], SYSTEMD_UNIT_PATH: `${folder}:` },
  });
  assert.equal(`${stdout}${stderr}`, '');
});

test('stealwatch.service: what it starts is what docs install', () => {
  const started = sections['Service']?.find(([key]) => key === 'ExecStart')?.[1] ?? '';
  const inside = started.replace('/opt/stealwatch/', '');
  assert.ok(existsSync(inside), inside);
  const guide = readFileSync('docs/install-systemd.md', 'utf8');
  for (const path of ['/opt/stealwatch', '/etc/stealwatch/environment']) {
    assert.ok(guide.includes(path), `${path} is not in docs/install-systemd.md`);
  }
});
