export type LimitSearch = {
  /** Where to begin, a second. */
  start: number;
  /** Never tried beyond it. */
  most: number;
  /** How much each rung is above the one before, while all hold. */
  factor: number;
  /** The search ends when the highest that held and the lowest that failed are this close (0.05 = 5 %). */
  precision: number;
  /** Whether the rate holds for a short time. */
  probe(rate: number): Promise<boolean>;
  /** Whether it holds for the full time. */
  hold(rate: number): Promise<boolean>;
};

/** Holds that may fail, each 10 % below the one before, before the search gives up. */
const mostHolds = 5;

/**
 * The highest rate that holds for the full time; 0 when none does. Short probes come first, since holds are long; one
 * that fails is tried again, since a single pause of the machine decides over one of a few seconds.
 */
export async function findLimit(search: LimitSearch): Promise<number> {
  let good = 0;
  let bad: number | undefined;
  let rate = search.start;
  const probe = async (tried: number) => (await search.probe(tried)) || search.probe(tried);
  while (bad === undefined && good < search.most) {
    if (await probe(rate)) good = rate;
    else bad = rate;
    rate = Math.min(search.most, rounded(rate * search.factor));
  }
  while (bad !== undefined && (bad - good) / bad > search.precision) {
    const middle = rounded((good + bad) / 2);
    if (middle <= good || middle >= bad) break;
    if (await probe(middle)) good = middle;
    else bad = middle;
  }
  for (let held = 0; held < mostHolds && good > 0; held += 1) {
    if (await search.hold(good)) return good;
    good = rounded(good * 0.9);
  }
  return 0;
}

/** Two significant digits and a half: rates that people can read. */
function rounded(rate: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(rate)) - 1) / 2;
  return Math.max(1, Math.round(rate / unit) * unit);
}
