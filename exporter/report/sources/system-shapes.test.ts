import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelShape } from './kernel-shapes.ts';
import { createSystemEvents } from './system-events.ts';
import { anySystemShape, systemShape } from './system-shapes.ts';

/** As those programs write them. */
const lines: readonly (readonly [tag: string, text: string, kind: string | undefined])[] = [
  [
    'sshd',
    'Accepted publickey for root from 192.0.2.9 port 51234 ssh2: ED25519 SHA256:abc',
    'login',
  ],
  ['sshd-session', 'Accepted password for deploy from 192.0.2.9 port 51234 ssh2', 'login'],
  ['sshd', 'Accepted keyboard-interactive/pam for eva from 2001:db8::1 port 1 ssh2', 'login'],
  ['sshd', 'Failed password for root from 192.0.2.66 port 4 ssh2', undefined],
  ['login', 'ROOT LOGIN ON tty1', 'login'],
  ['systemd-logind', 'System is rebooting.', 'shutdown_began'],
  ['systemd-logind', 'The system will reboot now!', 'shutdown_began'],
  ['systemd-logind', 'New session 4 of user root.', undefined],
  ['systemd', 'Reached target reboot.target - System Reboot.', 'shutdown_began'],
  ['systemd', 'Reached target Shutdown.', 'shutdown_began'],
  ['systemd', 'Reached target multi-user.target - Multi-User System.', undefined],
  ['qemu-ga', 'info: guest-shutdown called, mode: (null)', 'shutdown_began'],
  [
    'dockerd',
    'time="2026-10-15T06:40:55Z" level=error msg="Container failed to exit within 10s of signal 15 - using the force" container=3f2a',
    'container_stop_failed',
  ],
  [
    'dockerd',
    'level=info msg="Container 3f2a failed to exit within 10 seconds of signal 15 - using the force"',
    'container_stop_failed',
  ],
  [
    'dockerd',
    'level=error msg="Handler for POST /v1.41/containers/redis/stop returned error: tried to kill container, but did not receive an exit event"',
    'container_stop_failed',
  ],
  ['nginx', 'Container failed to exit within 10s of signal 15', undefined],
  ['systemd', "redis-server.service: State 'stop-sigterm' timed out. Killing.", 'unit_stop_failed'],
  [
    'systemd',
    "redis-server.service: State 'final-sigkill' timed out. Skipping SIGKILL.",
    'unit_stop_failed',
  ],
  [
    'systemd',
    'redis-server.service: Processes still around after SIGKILL. Ignoring.',
    'unit_stop_failed',
  ],
  ['systemd', 'Started redis-server.service - Advanced key-value store.', undefined],
  [
    'systemd-journald',
    'File /var/log/journal/b/system.journal corrupted or uncleanly shut down, renaming and replacing.',
    'journal_recovered',
  ],
  ['qemu-ga', 'info: guest-fsfreeze called', 'guest_agent_froze'],
  ['qemu-ga', 'info: guest-ping called', undefined],
  ['shop', 'dial tcp 10.0.1.9:6379: i/o timeout', 'connection_failed'],
  [
    'worker',
    'asynq: pid=1 ERROR: Dequeue error: redis: connection pool timeout',
    'connection_failed',
  ],
  ['api', 'Error: connect ECONNREFUSED 127.0.0.1:6379', 'connection_failed'],
  ['api', 'listening on port 6379', undefined],
];

test('system shapes: lines of programs by what they mean, and without what they name', () => {
  const search = new RegExp(anySystemShape, 'i');
  for (const [tag, text, kind] of lines) {
    const shape = systemShape(tag, text);
    assert.equal(shape?.kind, kind, text);
    // journalctl searches by this: it may find too much, never too little.
    if (kind !== undefined) assert.match(text, search);
    assert.doesNotMatch(shape?.said ?? '', /root|eva|deploy|192|3f2a|shop/);
  }
});

test('system shapes: faults of disks and file systems, of the kernel', () => {
  for (const [text, kind, name] of [
    ['EXT4-fs (vda1): recovery complete', 'filesystem_recovered', 'vda1'],
    ['EXT4-fs (dm-0): orphan cleanup on readonly fs', 'filesystem_recovered', 'dm-0'],
    ['XFS (vda2): Starting recovery (logdev: internal)', 'filesystem_recovered', 'vda2'],
    ['BTRFS info (device vda3): start tree-log replay', 'filesystem_recovered', 'vda3'],
    [
      'EXT4-fs error (device vda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0',
      'filesystem_error',
      'vda1',
    ],
    ['BTRFS error (device vda3: state EA): open_ctree failed', 'filesystem_error', 'vda3'],
    [
      'XFS (vda2): metadata I/O error in "xfs_buf_ioend" at daddr 0x1 len 8 error 5',
      'filesystem_error',
      'vda2',
    ],
    ['EXT4-fs (vda1): Remounting filesystem read-only', 'filesystem_error', 'vda1'],
    ['Aborting journal on device vda1-8.', 'filesystem_error', 'vda1-8'],
    [
      'I/O error, dev vda, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 0',
      'disk_error',
      'vda',
    ],
    ['blk_update_request: I/O error, dev sda, sector 0', 'disk_error', 'sda'],
    ['Buffer I/O error on dev vda1, logical block 0, lost async page write', 'disk_error', 'vda1'],
    [
      'EXT4-fs (vda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro',
      undefined,
      '',
    ],
    ['EXT4-fs (vda1): re-mounted. Opts: errors=remount-ro', undefined, ''],
    ['usb 1-1: new high-speed USB device', undefined, ''],
  ] as const) {
    const shape = kernelShape(text);
    assert.equal(shape?.kind, kind, text);
    assert.ok((shape?.said ?? '').includes(name), shape?.said);
  }
});

test('system events: failures of a minute are one with their number, and all are bounded', () => {
  const events = createSystemEvents('journal');
  for (let second = 0; second < 150; second++)
    events.line('shop', 'dial tcp 10.0.1.9:6379: i/o timeout', 6000 + second, undefined);
  assert.deepEqual(
    events.all().map(({ at, count }) => [at, count]),
    [
      [6000, 60],
      [6060, 60],
      [6120, 30],
    ],
  );
  const logins = createSystemEvents('journal');
  for (let index = 0; index < 2000; index++)
    logins.line('sshd', 'Accepted password for a from b', index, 'boot');
  assert.equal(logins.all().length, 500);
  assert.equal(logins.all().at(-1)?.count, 1501);
});
