/** deploy/stealwatch-rescue.service: what each line is for, beside those it has in common with the exporter's. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { rescueRecordPath } from '../exporter/core/rescue-record.ts';
import { readRescueOptions } from '../exporter/rescue/options.ts';

const unit = 'stealwatch-rescue.service';
const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

const lines = linesOf(`deploy/${unit}`);
const exporter = new Set(linesOf('deploy/stealwatch.service'));

/** SETTING=VALUE, and why it is not as the exporter's. */
const reasons: Readonly<Record<string, string>> = {
  'Description=stealwatch rescue: wakes threads that the host forgot': 'in systemctl status',
  'Wants=modprobe@msr.service': 'it may load no module itself, and wants this one',
  'After=modprobe@msr.service network.target': 'char-cpu/msr is a number only once it is loaded',
  'ExecStart=/opt/stealwatch/exporter/stealwatch rescue --watch http://127.0.0.1:10190 --out /var/lib/stealwatch-rescue':
    'the exporter of this machine, where it listens unless told otherwise',
  'RestartSec=5': 'as often as it looks',
  'RestartPreventExitStatus=3': 'wrong options, which no further start cures',
  'CapabilityBoundingSet=CAP_SYS_RAWIO CAP_SYS_PTRACE CAP_SYSLOG':
    'the MSR devices; wait channels of other users; the kernel log for the evidence',
  'RuntimeDirectory=stealwatch-rescue': 'the record that the exporter reads',
  'RuntimeDirectoryMode=0755': 'as whichever user that is',
  'RuntimeDirectoryPreserve=yes': 'counts do not go back',
  'StateDirectory=stealwatch-rescue': 'the evidence outlives a reset',
  'StateDirectoryMode=0700': 'and is for root',
  'DeviceAllow=char-cpu/msr rw': 'by the name that /proc/devices has for them',
  'UMask=0022': 'the record is for the exporter to read',
};

/** Lines of the exporter's that it does without. */
const without: Readonly<Record<string, string>> = {
  'ExecReload=/bin/kill -HUP $MAINPID': 'it has nothing to read again',
  'RestartSec=2': 'see RestartSec=5',
  'RestartPreventExitStatus=2': 'see the other',
  'Slice=stealwatch.slice': 'what that protects is for the exporter alone',
  'MemoryMin=96M': 'the exporter tells, and so comes first',
  'DynamicUser=yes': "the devices are root's, and CAP_DAC_OVERRIDE would open all else",
  'AmbientCapabilities=CAP_SYSLOG CAP_SYS_PTRACE': 'root has what the bounding set leaves',
  'CapabilityBoundingSet=CAP_SYSLOG CAP_SYS_PTRACE': 'see the other',
  'After=network.target': 'see the other',
  'ExecStart=/opt/stealwatch/exporter/stealwatch': 'see the other',
  "Description=stealwatch: is the host taking this machine's CPU or memory?": 'see the other',
  'UMask=0077': 'see the other',
};

test(`${unit}: every line is the exporter's or has a reason`, () => {
  assert.deepEqual(
    lines.filter((line) => !exporter.has(line)),
    Object.keys(reasons),
  );
  assert.deepEqual(
    new Set([...exporter].filter((line) => !lines.includes(line))),
    new Set(Object.keys(without)),
  );
});

test(`${unit}: what it starts is understood, and where it writes it may`, () => {
  const start = lines.find((line) => line.startsWith('ExecStart='))?.split(' ') ?? [];
  assert.ok(existsSync(start[0]?.replace('ExecStart=/opt/stealwatch/', '') ?? ''));
  assert.equal(start[1], 'rescue');
  const command = readRescueOptions(start.slice(2), {});
  if (command.kind !== 'run') throw new Error(JSON.stringify(command));
  assert.equal(command.options.watch, true);
  assert.equal(command.options.out, '/var/lib/stealwatch-rescue');
  assert.equal(rescueRecordPath, '/run/stealwatch-rescue/record.json');
});

test(`${unit}: nothing that hides what it reads, and never on by itself`, () => {
  const keys = new Set(lines.map((line) => line.split('=')[0]));
  for (const key of ['PrivateDevices', 'ProtectKernelLogs', 'ProcSubset', 'ProtectProc']) {
    assert.ok(!keys.has(key), key);
  }
  const guide = readFileSync('docs/install-systemd.md', 'utf8');
  assert.ok(guide.includes(`deploy/${unit} /etc/systemd/system/`));
  assert.ok(guide.includes('enable --now stealwatch-rescue'));
  assert.ok(JSON.parse(readFileSync('package.json', 'utf8')).files.includes(`deploy/${unit}`));
});
