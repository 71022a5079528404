export type LimitSearch = {
  /** The first rate, per second. */
  start: number;
  /** The highest rate to try, per second. */
  max: number;
  /** The ratio of two successive rates, while all rates hold. */
  factor: number;
  /** The search ends when the highest rate that held and the lowest that failed are this close (0.05 = 5 %). */
  precision: number;
  /** True if the rate holds for a short time. */
  probe(rate: number): Promise<boolean>;
  /** True if the rate holds for the full time. */
  hold(rate: number): Promise<boolean>;
};

/** The search gives up after this many failed holds, each 10 % below the previous one. */
const maxHolds = 5;

/**
 * The highest rate that holds for the full time; 0 if no rate does. Short probes come first, since holds are long. A
 * failed probe is repeated once, since a single pause of the machine can fail a probe of a few seconds.
 */
export async function findLimit(search: LimitSearch): Promise<number> {
  let good = 0;
  let bad: number | undefined;
  let rate = search.start;
  const probe = async (tried: number) => (await search.probe(tried)) || search.probe(tried);
  while (bad === undefined && good < search.max) {
    if (await probe(rate)) good = rate;
    else bad = rate;
    rate = Math.min(search.max, rounded(rate * search.factor));
  }
  while (bad !== undefined && (bad - good) / bad > search.precision) {
    const middle = rounded((good + bad) / 2);
    if (middle <= good || middle >= bad) break;
    if (await probe(middle)) good = middle;
    else bad = middle;
  }
  for (let held = 0; held < maxHolds && good > 0; held += 1) {
    if (await search.hold(good)) return good;
    good = rounded(good * 0.9);
  }
  return 0;
}

/** Rounds to multiples of half a unit of the second digit, so that rates are easy to read. */
function rounded(rate: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(rate)) - 1) / 2;
  return Math.max(1, Math.round(rate / unit) * unit);
}
