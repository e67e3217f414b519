/** Replaced when bundling; read from package.json and git when run from source. */
declare const STEALWATCH_VERSION: string | undefined;
declare const STEALWATCH_REVISION: string | undefined;

export const version = typeof STEALWATCH_VERSION === 'string' ? STEALWATCH_VERSION : 'dev';
export const revision = typeof STEALWATCH_REVISION === 'string' ? STEALWATCH_REVISION : 'unknown';
