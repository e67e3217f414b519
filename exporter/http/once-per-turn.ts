/**
 * Made once in a turn of the event loop: what a thousand ask for at once costs one of them, and
 * nobody gets what was made before they asked.
 */
export function oncePerTurn<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    if (made === undefined) {
      made = { value: make() };
      setImmediate(() => (made = undefined));
    }
    return made.value;
  };
}
