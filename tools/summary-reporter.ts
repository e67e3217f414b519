/** A node:test reporter that ends the run with one plain line: `N passed, N failed, N skipped`. */
import type { TestEvent } from 'node:test/reporters';

export default async function* summary(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    // The run's own summary has no file; those of single files do.
    if (event.type === 'test:summary' && event.data.file === undefined) {
      const { tests, passed, skipped, todo } = event.data.counts;
      const failed = tests - passed - skipped - todo;
      yield `${passed} passed, ${failed} failed, ${skipped + todo} skipped\n`;
    }
  }
}
