/** The generated JSON as the tests read it: what is on the page, not what the SDK calls it. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly format: 'time_series' | 'table' | 'heatmap';
  readonly range: boolean;
  readonly instant: boolean;
  readonly datasource: { readonly type: string; readonly uid: string };
}

export interface Property {
  readonly id: string;
  readonly value: unknown;
}

export interface Override {
  readonly matcher: { readonly id: string; readonly options: unknown };
  readonly properties: readonly Property[];
}

export interface Mapping {
  readonly type: string;
  readonly options: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
}

export interface ThresholdSteps {
  readonly mode: string;
  readonly steps: readonly { readonly value: number | null; readonly color: string }[];
}

export interface Transformation {
  readonly id: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface PanelModel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: { readonly type: string; readonly uid: string };
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets: readonly Target[];
  readonly interval?: string;
  readonly transformations?: readonly Transformation[];
  readonly links?: readonly { readonly url?: string }[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit: string;
      readonly noValue?: string;
      readonly min?: number;
      readonly max?: number;
      readonly decimals?: number;
      readonly mappings?: readonly Mapping[];
      readonly thresholds?: ThresholdSteps;
      readonly color?: { readonly mode: string; readonly fixedColor?: string };
      readonly custom?: Readonly<Record<string, unknown>>;
      readonly links?: readonly { readonly title: string; readonly url: string }[];
    };
    readonly overrides: readonly Override[];
  };
}

/** A few lines of text: asks nothing. */
export interface NoteModel extends Pick<PanelModel, 'id' | 'type' | 'title' | 'gridPos'> {
  readonly options: { readonly mode: string; readonly content: string };
}

/** A row, closed, with what is in it. */
export interface RowModel extends Pick<PanelModel, 'id' | 'title' | 'gridPos'> {
  readonly type: 'row';
  readonly collapsed: boolean;
  readonly panels: readonly PanelModel[];
}

export interface VariableModel {
  readonly type: string;
  readonly name: string;
  readonly label: string;
  readonly query: string | { readonly query: string };
  readonly datasource?: { readonly uid: string };
  readonly multi: boolean;
  readonly allValue?: string;
  readonly refresh?: number;
}

export interface DashboardModel {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly editable: boolean;
  readonly schemaVersion: number;
  readonly time: { readonly from: string; readonly to: string };
  readonly refresh: string;
  readonly graphTooltip: number;
  /** All that ask something, those in a closed row as well. */
  readonly panels: readonly PanelModel[];
  readonly notes: readonly NoteModel[];
  readonly rows: readonly RowModel[];
  readonly links: readonly { readonly type: string; readonly tags: readonly string[] }[];
  readonly templating: { readonly list: readonly VariableModel[] };
  readonly annotations: {
    readonly list?: readonly {
      readonly name: string;
      readonly expr: string;
      readonly enable: boolean;
      readonly hide: boolean;
    }[];
  };
}

const directory = join(import.meta.dirname, '..', 'generated');

/** The committed files, as a stranger would import them. */
export function committed(): DashboardModel[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .map((file) => modelOf(JSON.parse(readFileSync(join(directory, file), 'utf8')) as FileModel));
}

type FileModel = Omit<DashboardModel, 'panels' | 'notes' | 'rows'> & {
  readonly panels: readonly (PanelModel | NoteModel | RowModel)[];
};

function modelOf(file: FileModel): DashboardModel {
  const rows = file.panels.filter((panel): panel is RowModel => panel.type === 'row');
  const notes = file.panels.filter((panel): panel is NoteModel => panel.type === 'text');
  const open = file.panels.filter((panel): panel is PanelModel => 'targets' in panel);
  return { ...file, panels: [...open, ...rows.flatMap(({ panels }) => panels)], notes, rows };
}

/** Every query of a dashboard with where it stands, annotations included. */
export function expressions(
  model: DashboardModel,
): { readonly where: string; readonly expr: string }[] {
  return [
    ...model.panels.flatMap((panel) =>
      panel.targets.map(({ refId, expr }) => ({
        where: `${model.uid}, panel "${panel.title}", query ${refId}`,
        expr,
      })),
    ),
    ...(model.annotations.list ?? []).map(({ name, expr }) => ({
      where: `${model.uid}, annotation "${name}"`,
      expr,
    })),
  ];
}
