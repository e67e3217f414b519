import { promtoolTests } from '../testing/promtool-tests.ts';
import { installedTools } from '../testing/tools.ts';

promtoolTests(installedTools());
