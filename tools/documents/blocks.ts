/** The fenced code blocks of a document, and why one of them is not run. */

export interface Block {
  /** As it stands in the repository: docs/alerts.md. */
  readonly document: string;
  /** The line of its fence, from 1. */
  readonly line: number;
  /** What stands behind the fence; empty where nothing does. */
  readonly language: string;
  /** Without the indentation of the fence. */
  readonly text: string;
  /** From `<!-- not run here: needs ... -->` right above. */
  readonly notRun: string | undefined;
}

export function blocksOf(document: string, markdown: string): Block[] {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, indent, language] = /^( *)```(\w*)$/.exec(lines[at] ?? '') ?? [];
    if (indent === undefined || language === undefined) continue;
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end < 0) throw new Error(`${document}:${at + 1}: a code block that does not end`);
    blocks.push({
      document,
      line: at + 1,
      language,
      text: lines
        .slice(at + 1, end)
        .map((line) => line.slice(indent.length))
        .join('\n'),
      notRun: /^ *<!-- not run here: (.+) -->$/.exec(lines[at - 1] ?? '')?.[1],
    });
    at = end;
  }
  return blocks;
}
