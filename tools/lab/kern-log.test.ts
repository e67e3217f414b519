import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelLine } from '../../exporter/report/sources/kernel-line.ts';
import { utc } from '../../exporter/report/sources/zone.ts';
import { cropped, kernLogLine } from './kern-log.ts';

const at = Date.UTC(2026, 10, 30, 9, 42, 5, 912) / 1000;

test('kern.log of the lab: a record comes out as rsyslog writes it, and is read back', () => {
  const line = kernLogLine('3,812,191669508,-;INFO: task \\x22a\\x22', at);
  assert.equal(line, '2026-11-30T09:42:05.912000+00:00 vps kernel: [  191.669508] INFO: task "a"');
  const read = parseKernelLine(line ?? '', { zone: utc, yearOf: () => 2026 });
  assert.ok(read !== undefined);
  assert.deepEqual(
    [read.microseconds, read.stamp, read.tag, read.text],
    [191_669_508, at, 'kernel', 'INFO: task "a"'],
  );
});

test('kern.log of the lab: neither what a program wrote nor a line of properties', () => {
  assert.equal(kernLogLine('12,813,191669600,-;INFO: task a:1 blocked', at), undefined);
  assert.equal(kernLogLine(' SUBSYSTEM=pci', at), undefined);
});

const said = (seconds: string, text: string) => `vps kernel: [ ${seconds}] ${text}`;

test('kern.log of the lab: of each start what names it, then everything', () => {
  const boot = [
    said('0.000000', 'Linux version 6.12.117'),
    said('0.100000', 'ACPI: PM-Timer IO Port: 0x608'),
    said('9.000000', 'Run /init as init process'),
    said('9.100000', 'virtio_net virtio0 eth0: renamed'),
  ];
  const kept = boot.filter((_, i) => i !== 1 && i !== 2);
  assert.deepEqual(cropped([...boot, ...boot]), [...kept, ...kept]);
});
