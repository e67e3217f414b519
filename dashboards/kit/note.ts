/** A few lines of text on a page: what to type, where a figure would be too much. */
import { PanelBuilder as TextPanel, TextMode } from '@grafana/grafana-foundation-sdk/text';
import type { Panel } from './panels.ts';

export function note(o: {
  readonly title: string;
  readonly markdown: string;
  readonly w: number;
  readonly h: number;
}): Panel {
  return new TextPanel()
    .title(o.title)
    .span(o.w)
    .height(o.h)
    .mode(TextMode.Markdown)
    .content(o.markdown);
}
