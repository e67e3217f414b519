/**
 * A sentence and what it needs. Its text is a function of the findings it names, and of nothing
 * else: one that was not found cannot be spoken of, and documents print only what comes from here.
 */
import {
  type Certainty,
  type Finding,
  type FindingId,
  type Findings,
  weakest,
} from '../cause/findings.ts';
import type { Text } from '../text/say.ts';

type Found<N extends FindingId> = { readonly [K in N]: Finding<K> };

/** A claim whose findings are all there. */
export interface Sentence {
  readonly id: string;
  readonly needs: readonly FindingId[];
  /** Of the weakest of its findings. */
  readonly certainty: Certainty;
  /** It says what is not known: nothing to be sure of. */
  readonly openEnded: boolean;
  readonly text: Text;
  /** The second column of a row that has two. */
  readonly answer?: Text;
}

export interface Claim {
  readonly id: string;
  readonly needs: readonly FindingId[];
  said(findings: Findings): Sentence | undefined;
}

interface Rest<N extends FindingId> {
  /** Not said where one of these was found: another claim says it better. */
  readonly unless?: readonly FindingId[];
  readonly answer?: (found: Found<N>) => Text;
  readonly openEnded?: true;
}

export function claim<const N extends FindingId>(
  id: string,
  needs: readonly N[],
  text: (found: Found<N>) => Text,
  { unless = [], answer, openEnded }: Rest<N> = {},
): Claim {
  return {
    id,
    needs,
    said(findings) {
      if (unless.some((one) => findings[one] !== undefined)) return undefined;
      const all = needs.map((need) => [need, findings[need]] as const);
      if (all.some(([, finding]) => finding === undefined)) return undefined;
      // Each of the needs was looked up just now.
      const found = Object.fromEntries(all) as unknown as Found<N>;
      return {
        id,
        needs,
        certainty: weakest(needs.map((need) => found[need].certainty)),
        openEnded: openEnded === true,
        text: text(found),
        ...(answer === undefined ? {} : { answer: answer(found) }),
      };
    },
  };
}

/** All of a table that may be said, in its order. */
export function said(claims: readonly Claim[], findings: Findings): Sentence[] {
  return claims.flatMap((one) => one.said(findings) ?? []);
}

/** The first that may be said: tables of titles go from the surest to the weakest. */
export function firstSaid(claims: readonly Claim[], findings: Findings): Sentence | undefined {
  return said(claims, findings)[0];
}
