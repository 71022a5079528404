/** The violations that a storm has found, by the promise that they break. */
export type Findings = {
  add(promise: string, what: string): void;
  count(): number;
  /** Each broken promise with the number of its violations, and the text of the first 15. */
  toString(): string;
};

const maxCases = 15;

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
          const more = cases.length > maxCases ? [`… and ${cases.length - maxCases} more`] : [];
          const lines = [...cases.slice(0, maxCases), ...more].map((line) => `  ${line}`);
          return [`${promise} (${cases.length}):`, ...lines].join('\n');
        })
        .join('\n'),
  };
}
