/** A share for people: `under 0.1 %`, `2.5 %`, `41 %`, `99.5 %`. What is not all is not called so. */
export function percentText(share: number): string {
  if (!Number.isFinite(share)) return 'an unknown share';
  const percent = share * 100;
  if (percent > 0 && percent < 0.05) return 'under 0.1 %';
  if (percent >= 99.95 && percent < 100) return 'over 99.9 %';
  const whole = (percent >= 9.95 && percent < 98.95) || percent >= 100;
  return `${Number(percent.toFixed(whole ? 0 : 1))} %`;
}
