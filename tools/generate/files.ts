/** Path from the root of the repository to the text that belongs there. */
export type GeneratedFiles = ReadonlyMap<string, string>;
