export type MemorySample = {
  /** Since the first sample. */
  seconds: number;
  /** MiB by curve. */
  values: Record<string, number>;
};

const width = 900;
const height = 420;
const left = 60;
const right = 190;
const bottom = 30;
const colours = [
  '#111827',
  '#2563eb',
  '#dc2626',
  '#059669',
  '#d97706',
  '#7c3aed',
  '#0891b2',
  '#be185d',
  '#4d7c0f',
];

/** Memory over time as an SVG image, one curve per name, and a line for the limit. */
export function memoryPlot(samples: readonly MemorySample[], limitMiB: number): string {
  const names = [...new Set(samples.flatMap(({ values }) => Object.keys(values)))];
  const lastSecond = Math.max(1, samples.at(-1)?.seconds ?? 1);
  const x = (seconds: number) => left + (seconds / lastSecond) * (width - left - right);
  const y = (mebibytes: number) => height - bottom - (mebibytes / limitMiB) * (height - bottom - 10);
  const text = (at: number, to: number, words: string, colour = '#374151') =>
    `<text x="${at.toFixed(0)}" y="${to.toFixed(0)}" fill="${colour}">${words}</text>`;
  const rule = (mebibytes: number, colour: string) =>
    `<path d="M${left} ${y(mebibytes).toFixed(1)}H${width - right}" stroke="${colour}"/>`;
  const curves = names.map((name, index) => {
    const colour = colours[index % colours.length];
    const points = samples.map(
      ({ seconds, values }) => `${x(seconds).toFixed(1)},${y(values[name] ?? 0).toFixed(1)}`,
    );
    const last = samples.at(-1)?.values[name] ?? 0;
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>
${text(width - right + 12, 20 + index * 20, `${name} ${last.toFixed(0)} MiB`, colour)}`;
  });
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const mebibytes = share * limitMiB;
    return `${rule(mebibytes, share === 1 ? '#dc2626' : '#e5e7eb')}${text(4, y(mebibytes) + 4, `${mebibytes.toFixed(0)} MiB`)}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#fff"/>
${marks.join('\n')}
${text(left, height - 8, '0 s')}${text(width - right - 40, height - 8, `${lastSecond.toFixed(0)} s`)}
${curves.join('\n')}
</svg>
`;
}
