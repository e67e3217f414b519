import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { cpu } from 'systeminformation';
import type { Collector } from '../core/collector.ts';
import {
  type HostIdentity,
  labelText,
  readHostIdentity,
  virtualizationOf,
} from '../procfs/host-identity.ts';
import { createPseudoFs, type PseudoFs } from '../procfs/reader.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { hostInfoCollector } from './host-info.ts';

const clocksource = 'sys/devices/system/clocksource/clocksource0';
const vps = {
  'sys/class/dmi/id/sys_vendor': 'Hetzner\n',
  'sys/class/dmi/id/product_name': 'vServer\n',
  [`${clocksource}/available_clocksource`]: 'kvm-clock tsc acpi_pm \n',
  [`${clocksource}/current_clocksource`]: 'kvm-clock\n',
  'proc/cpuinfo':
    'processor\t: 0\nmodel name\t: AMD EPYC-Rome Processor\nflags\t\t: fpu hypervisor sse\n',
  'proc/sys/kernel/osrelease': '6.1.0-32-amd64\n',
};

function roots(t: TestContext, tree: Readonly<Record<string, string>>) {
  const root = fixtureTree(t, tree);
  return { procfs: createPseudoFs(`${root}/proc`), sysfs: createPseudoFs(`${root}/sys`) };
}

async function labelsOf(collector: Collector) {
  const [family] = await collector.collect(AbortSignal.timeout(1000));
  return family?.samples[0]?.labels;
}

/** Collect until the family is there, as scrapes do. */
async function eventually(collector: Collector) {
  for (let i = 0; i < 500; i += 1) {
    const labels = await labelsOf(collector);
    if (labels !== undefined) return labels;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('no family in 5 s');
}

const never = () => new Promise<never>(() => {});
const failing = () => Promise.reject(new Error('spawn dmidecode EAGAIN'));
const acme = () => Promise.resolve({ vendor: 'ACME' });
const refuse = () => {
  throw new Error('EACCES: permission denied');
};

test('host info: a VPS tells all in small files, and nobody is asked', async (t) => {
  const collector = hostInfoCollector({ ...roots(t, vps), ask: never });
  assert.deepEqual(await labelsOf(collector), {
    virtualization: 'kvm',
    vendor: 'Hetzner',
    product: 'vServer',
    cpu_model: 'AMD EPYC-Rome Processor',
    kernel: '6.1.0-32-amd64',
    clocksource: 'kvm-clock',
  });
  assert.deepEqual(collector.report?.().findings, []);
});

test('host info: a vendor that /sys does not name is not asked for', async (t) => {
  const unnamed = { 'sys/class/dmi/id/sys_vendor': '', 'sys/class/dmi/id/product_name': '' };
  const collector = hostInfoCollector({ ...roots(t, { ...vps, ...unnamed }), ask: never });
  const labels = await labelsOf(collector);
  assert.deepEqual([labels?.['vendor'], labels?.['virtualization']], ['unknown', 'kvm']);
});

test('host info: nothing is read or asked before the first scrape, and all of it once', async (t) => {
  let reads = 0;
  let asked = 0;
  const read = () => {
    reads += 1;
    return undefined;
  };
  const counting: PseudoFs = { root: '', read, list: read, file: () => ({ read, close() {} }) };
  const collector = hostInfoCollector({
    procfs: counting,
    sysfs: counting,
    ask: async () => {
      asked += 1;
      return { vendor: 'ACME' };
    },
  });
  t.after(() => collector.close?.());
  assert.equal(reads, 0);
  assert.equal(await labelsOf(collector), undefined);
  assert.equal((await eventually(collector))['vendor'], 'ACME');
  const readsOnce = reads;
  await labelsOf(collector);
  assert.deepEqual([reads, asked], [readsOnce, 1]);
});

test('host info: absent while the answer is awaited; own files win over it', async (t) => {
  const { promise, resolve } = Promise.withResolvers<HostIdentity>();
  const arm = {
    'proc/cpuinfo': 'processor\t: 0\nFeatures\t: fp asimd\n',
    'sys/class/dmi/id/sys_vendor': '',
  };
  const collector = hostInfoCollector({ ...roots(t, { ...vps, ...arm }), ask: () => promise });
  t.after(() => collector.close?.());
  assert.equal(await labelsOf(collector), undefined);
  assert.equal(await labelsOf(collector), undefined);
  resolve({ vendor: 'Contabo', product: 'PC', cpuModel: 'Neoverse-N1' });
  const labels = await eventually(collector);
  assert.equal(labels['vendor'], 'Contabo');
  assert.equal(labels['product'], 'vServer');
  assert.equal(labels['cpu_model'], 'Neoverse-N1');
});

test('host info: an answer that fails or never comes costs labels, no scrape', async (t) => {
  for (const ask of [failing, never]) {
    const collector = hostInfoCollector({ ...roots(t, {}), ask, patienceSeconds: 0.05 });
    t.after(() => collector.close?.());
    assert.deepEqual(await eventually(collector), {
      virtualization: 'unknown',
      vendor: 'unknown',
      product: 'unknown',
      cpu_model: 'unknown',
      kernel: 'unknown',
      clocksource: 'unknown',
    });
  }
});

test('host info: files that may not be read cost labels, no scrape', async (t) => {
  const file = { read: refuse, close() {} };
  const refusing: PseudoFs = { root: '', read: refuse, list: refuse, file: () => file };
  const collector = hostInfoCollector({ procfs: refusing, sysfs: refusing, ask: acme });
  t.after(() => collector.close?.());
  assert.equal((await eventually(collector))['vendor'], 'ACME');
});

/** The kernel's name for this boot: whoever holds a copy of it speaks of this machine. */
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');

test('host info: the real systeminformation fills a gap on this machine', async (t) => {
  const { procfs } = roots(t, {
    'proc/sys/kernel/osrelease': '6.1.0\n',
    'proc/sys/kernel/random/boot_id': bootId,
  });
  const collector = hostInfoCollector({ procfs, sysfs: procfs });
  t.after(() => collector.close?.());
  const labels = await eventually(collector);
  assert.equal(labels['kernel'], '6.1.0');
  // Whatever CPU this is; where nothing names it, that is unknown.
  assert.equal(labels['cpu_model'], labelText((await cpu()).brand) ?? 'unknown');
  assert.notEqual(labels['product'], 'Docker Container');
});

test('host info: a recording of another machine gets no word of this one', async (t) => {
  for (const files of [{}, { 'proc/sys/kernel/random/boot_id': bootId.replace(/^./, 'x') }]) {
    const { procfs } = roots(t, files);
    const collector = hostInfoCollector({ procfs, sysfs: procfs });
    t.after(() => collector.close?.());
    const labels = await eventually(collector);
    assert.deepEqual([...new Set(Object.values(labels))], ['unknown']);
  }
});

test('host info: bare metal is said to be', async (t) => {
  const metal = {
    ...vps,
    'sys/class/dmi/id/sys_vendor': 'Amazon EC2\n',
    'sys/class/dmi/id/product_name': 'c5.metal\n',
    [`${clocksource}/available_clocksource`]: 'tsc hpet acpi_pm \n',
    'proc/cpuinfo': vps['proc/cpuinfo'].replace(' hypervisor', ''),
  };
  const collector = hostInfoCollector({ ...roots(t, metal), ask: never });
  assert.equal((await labelsOf(collector))?.['virtualization'], 'none');
  const [finding] = collector.report?.().findings ?? [];
  assert.match(finding?.text ?? '', /looks like bare metal/);
});

const machines: readonly [string, Readonly<Record<string, string>>, string | undefined][] = [
  ['Xen', { 'sys/hypervisor/type': 'xen\n', [`${clocksource}/available_clocksource`]: '' }, 'xen'],
  [
    'Azure',
    {
      'sys/class/dmi/id/sys_vendor': 'Microsoft Corporation\n',
      'sys/class/dmi/id/product_name': 'Virtual Machine\n',
      [`${clocksource}/available_clocksource`]: 'hyperv_clocksource_tsc_page acpi_pm\n',
    },
    'hyperv',
  ],
  [
    'VMware with kvm-clock in a nested guest',
    { 'sys/class/dmi/id/sys_vendor': 'VMware, Inc.\n' },
    'vmware',
  ],
  [
    'a hypervisor nobody knows',
    {
      'sys/class/dmi/id/sys_vendor': 'ACME\n',
      [`${clocksource}/available_clocksource`]: 'tsc\n',
    },
    'other',
  ],
  [
    'Firecracker, which shows no name',
    { 'sys/class/dmi/id/sys_vendor': '', 'sys/class/dmi/id/product_name': '' },
    'kvm',
  ],
  [
    'QEMU without kvm-clock',
    {
      'sys/class/dmi/id/sys_vendor': 'QEMU\n',
      [`${clocksource}/available_clocksource`]: 'tsc\n',
    },
    'kvm',
  ],
  [
    'an arm64 cloud VM',
    {
      'sys/class/dmi/id/sys_vendor': 'Amazon EC2\n',
      'sys/class/dmi/id/product_name': 't4g.small\n',
      [`${clocksource}/available_clocksource`]: 'arch_sys_counter\n',
      'proc/cpuinfo': 'processor\t: 0\nFeatures\t: fp asimd\n',
    },
    'kvm',
  ],
  [
    'an arm64 cloud machine without a hypervisor',
    {
      'sys/class/dmi/id/sys_vendor': 'Amazon EC2\n',
      'sys/class/dmi/id/product_name': 'a1.metal\n',
      [`${clocksource}/available_clocksource`]: 'arch_sys_counter\n',
      'proc/cpuinfo': 'processor\t: 0\nFeatures\t: fp asimd\n',
    },
    undefined,
  ],
];
for (const [name, files, expected] of machines) {
  test(`host identity: ${name}`, (t) => {
    const { procfs, sysfs } = roots(t, { ...vps, ...files });
    assert.equal(readHostIdentity(procfs, sysfs).virtualization, expected);
  });
}

test('host identity: a label is printable, on one line and bounded, or not there', () => {
  assert.equal(labelText(' To Be\tFilled\u0000 By  "O.E.M." \n'), 'To Be Filled By "O.E.M."');
  assert.equal(labelText(' \n'), undefined);
  assert.equal(labelText('ab '.repeat(100))?.length, 80);
  assert.equal(labelText('a '.repeat(100))?.length, 79);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const label = labelText(text);
      if (label !== undefined) assert.match(label, /^[\x21-\x7e][\x20-\x7e]{0,79}$/);
      virtualizationOf(text);
    }),
  );
});

/** What clouds and hypervisors write into DMI, as they do. */
const names: Readonly<Record<string, readonly string[]>> = {
  vmware: ['VMware, Inc. VMware Virtual Platform', 'VMware7,1'],
  virtualbox: ['innotek GmbH VirtualBox', 'Oracle VirtualBox', 'innotek GmbH'],
  hyperv: ['Microsoft Corporation Virtual Machine', 'hyper-v'],
  xen: ['Xen HVM domU', 'xen'],
  parallels: ['Parallels Software International Inc.'],
  bhyve: ['BHYVE'],
  apple: ['Apple Inc. Apple Virtualization Generic Platform'],
  kvm: [
    'KVM',
    'QEMU Standard PC (i440FX + PIIX, 1996)',
    'OpenStack Foundation OpenStack Nova',
    'Amazon EC2 t3.micro',
    'Google Compute Engine',
    'DigitalOcean Droplet',
    'Hetzner vServer',
    'Alibaba Cloud ECS',
    'Linode Compute Instance',
    'Vultr VC2',
  ],
};

test('host identity: hypervisors by the names they give, and nobody by another', () => {
  for (const [hypervisor, texts] of Object.entries(names)) {
    for (const text of texts) assert.equal(virtualizationOf(text), hypervisor, text);
  }
  for (const text of [
    '',
    'Dell Inc. PowerEdge',
    'Xenon Systems',
    'Microsoft Corporation Surface',
  ]) {
    assert.equal(virtualizationOf(text), undefined, text);
  }
});
