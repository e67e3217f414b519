/** Draws the picture of the README anew: `npm run pictures`. */
import { writeFileSync } from 'node:fs';
import { startAfternoon } from '../lint/afternoon.ts';
import { picturePath, timelinePicture } from './timeline.ts';

const afternoon = await startAfternoon();
try {
  writeFileSync(picturePath, await timelinePicture(afternoon));
} finally {
  await afternoon.close();
}
