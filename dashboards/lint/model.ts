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
  readonly panels: readonly PanelModel[];
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
    .map((file) => JSON.parse(readFileSync(join(directory, file), 'utf8')) as DashboardModel);
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
