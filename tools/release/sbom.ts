/**
 * The software bill of materials of what ships, in CycloneDX: what `npm sbom` knows of the lock
 * file, without the tools. Everything is a development package here, because the bundle holds what it
 * needs; what is in the bundle is what its notices name.
 */

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly scope?: string;
  readonly properties?: readonly { readonly name: string }[];
}

export interface Bom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

export interface Shipped {
  readonly name: string;
  readonly version: string;
}

const isNode = ({ name }: Component) => name.startsWith('node-linux-');

/** In the bundle: required, and no development package of those who get it. */
function bundled({ properties = [], ...component }: Component): Component {
  const kept = properties.filter(({ name }) => name !== 'cdx:npm:package:development');
  return { ...component, scope: 'required', properties: kept };
}

/** Throws where a package ships that npm does not know. */
export function bomOfShipped(bom: Bom, name: string, shipped: readonly Shipped[]): Bom {
  const of = ({ name, version }: Shipped) =>
    bom.components.find(
      (one) =>
        one.version === version && (one.name === name || one['bom-ref'] === `${name}@${version}`),
    );
  const unknown = shipped.filter((one) => of(one) === undefined);
  if (unknown.length > 0) {
    const names = unknown.map((one) => `${one.name} ${one.version}`).join(', ');
    throw new Error(`bundled, and not in the lock file: ${names}; run npm ci and build again`);
  }
  const own = new Set(shipped.map(of));
  // The Node that comes along is an optional package, and none of the bundle.
  const components = bom.components
    .filter((component) => own.has(component) || isNode(component))
    .map((component) => (isNode(component) ? component : bundled(component)));
  const root = bom.metadata.component;
  const refs = new Set([...components, root].map((component) => component['bom-ref']));
  return {
    ...bom,
    metadata: { ...bom.metadata, component: { ...root, name } },
    components,
    dependencies: bom.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) })),
  };
}
