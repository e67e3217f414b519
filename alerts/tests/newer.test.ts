import { test } from 'node:test';
import { promtoolTests } from '../testing/promtool-tests.ts';
import { allTools } from '../../tools/rig/prometheus-tools.ts';

const newer = allTools()[1];
if (newer === undefined) test('rules under a newer Prometheus', { skip: 'it cannot be had here' });
else promtoolTests(newer, true);
