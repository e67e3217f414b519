import { promtoolTests } from '../testing/promtool-tests.ts';
import { allTools, installedTools } from '../../tools/rig/prometheus-tools.ts';

promtoolTests(installedTools(), allTools().length === 1);
