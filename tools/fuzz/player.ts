/** Somebody who plays one side of the exporter's world badly. */
export interface Player {
  readonly name: string;
  /** From now on badly; before it the exporter gets what it should. */
  start(): void;
  /** Some ten times a second: one more thing wrong. */
  step(): void;
  /** All is well again, as at the beginning. */
  calm(): void;
  close(): void;
}
