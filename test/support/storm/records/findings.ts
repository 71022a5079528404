/** What a storm found to be wrong, by the promise that it breaks. */
export type Findings = {
  add(promise: string, what: string): void;
  count(): number;
  /** Every promise with how often it was broken, and the first cases word for word. */
  toString(): string;
};

const mostCases = 15;

export function createFindings(): Findings {
  const found = new Map<string, string[]>();
  return {
    add(promise, what) {
      const cases = found.get(promise);
      if (cases) cases.push(what);
      else found.set(promise, [what]);
    },
    count: () => [...found.values()].reduce((sum, cases) => sum + cases.length, 0),
    toString: () =>
      [...found]
        .map(([promise, cases]) => {
          const more = cases.length > mostCases ? [`… and ${cases.length - mostCases} more`] : [];
          const lines = [...cases.slice(0, mostCases), ...more].map((line) => `  ${line}`);
          return [`${promise} (${cases.length}):`, ...lines].join('\n');
        })
        .join('\n'),
  };
}
