import type { EvidenceSource } from '../../exporter/evidence/evidence.ts';
import type { EvidenceAnswer } from '../../exporter/evidence/format.ts';

/** A recorder that has nothing to tell. */
export const noEvidence: EvidenceSource = {
  tag: () => '0',
  text: () => '{}\n',
  incidents: () => [],
};

/** What an agent answers that has seen nothing. */
export const noIncidents: EvidenceAnswer = {
  schema: 1,
  machine: {},
  boot: { id: 'b', start: 0 },
  exporter: { version: '1', start: 1 },
  now: { wall: 2, monotonic: 2 },
  incidents: [],
};
