import { promtoolTests } from '../testing/promtool-tests.ts';
import { allTools, installedTools } from '../testing/tools.ts';

promtoolTests(installedTools(), allTools().length === 1);
