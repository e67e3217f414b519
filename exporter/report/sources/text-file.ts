/** Reads a log file line by line, whatever stands there. */
import { createLineSplitter, type OnLine } from './lines.ts';
import { type FileLimits, type FileRead, readChunks } from './packed-file.ts';

const lineFeed = 10;

/** Of a file that is not read from its first byte, the first line is a part of one: left out. */
export async function readLog(path: string, limits: FileLimits, onLine: OnLine): Promise<FileRead> {
  const splitter = createLineSplitter(onLine);
  let wantsMore = true;
  let inFirst = false;
  const read = await readChunks(path, limits, (chunk, cutInFront) => {
    inFirst ||= cutInFront;
    const end = inFirst ? chunk.indexOf(lineFeed) : -1;
    if (inFirst && end < 0) return true;
    inFirst = false;
    wantsMore = splitter.push(chunk.subarray(end + 1));
    return wantsMore;
  });
  if (wantsMore) splitter.end();
  const long = splitter.tooLong();
  if (long === 0) return read;
  return { ...read, problems: [...read.problems, `${long} lines of over 1 MB were left out`] };
}
