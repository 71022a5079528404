import { createHistogram, type HistogramData } from '../measure/histogram.ts';
import { machineName } from '../system/usage.ts';
import { milliseconds, type Step, type TimelineSecond } from './result.ts';

const width = 640;
const height = 260;
const margin = { left: 66, right: 150, top: 12, bottom: 34 };
const plotWidth = width - margin.left - margin.right;
const plotHeight = height - margin.top - margin.bottom;
const colours = [
  '#2563eb',
  '#dc2626',
  '#059669',
  '#d97706',
  '#7c3aed',
  '#0891b2',
  '#be185d',
  '#4d7c0f',
  '#475569',
  '#a16207',
];

/** The percentiles of a curve, up to 99.9 %. */
const shares = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999];
const ticksAt = [0, 0.5, 0.9, 0.99, 0.999];

/** Latency by percentile with logarithmic axes: 90 %, 99 % and 99.9 % have equal distances. */
export function percentilePlot(curves: { name: string; data: HistogramData }[]): string {
  const seen = curves.filter(({ data }) => data.count > 0);
  if (seen.length === 0) return '';
  const points = seen.map(({ name, data }) => {
    const histogram = createHistogram(data);
    return { name, values: shares.map((share) => Math.max(0.1, milliseconds(histogram.percentile(share)))) };
  });
  const all = points.flatMap(({ values }) => values);
  const low = 10 ** Math.floor(Math.log10(Math.min(...all)));
  const high = 10 ** Math.ceil(Math.log10(Math.max(...all, low * 10)));
  const x = (share: number) => margin.left + (-Math.log10(1 - share) / 3) * plotWidth;
  const y = (value: number) =>
    margin.top + plotHeight * (1 - Math.log10(value / low) / Math.log10(high / low));

  const decades = Array.from(
    { length: Math.round(Math.log10(high / low)) + 1 },
    (_, power) => low * 10 ** power,
  );
  return svg([
    ...decades.map(
      (value) =>
        `${rule(margin.left, y(value), margin.left + plotWidth, y(value))}${text(margin.left - 6, y(value) + 4, `${value} ms`, 'end')}`,
    ),
    ...ticksAt.map(
      (share) =>
        `${rule(x(share), margin.top, x(share), margin.top + plotHeight)}${text(x(share), height - 14, `${+(share * 100).toFixed(1)} %`, 'middle')}`,
    ),
    ...points.map(({ name, values }, index) => {
      const path = values
        .map((value, at) => `${x(shares[at] ?? 0).toFixed(1)},${y(value).toFixed(1)}`)
        .join(' ');
      return `<polyline points="${path}" fill="none" stroke="${colour(index)}" stroke-width="2"/>${legend(index, name)}`;
    }),
  ]);
}

/** Cores in use by process, one bar per step. */
export function coresPlot(steps: readonly Step[]): string {
  const shown = steps.filter(({ usage }) => usage.length > 0);
  const names = [...new Set(shown.flatMap(({ usage }) => usage.map(({ name }) => name)))].filter(
    (name) => name !== machineName && shown.some((step) => coresOf(step, name) >= 0.02),
  );
  if (shown.length === 0 || names.length === 0) return '';
  const max = Math.max(1, ...shown.map((step) => names.reduce((sum, name) => sum + coresOf(step, name), 0)));
  const y = (cores: number) => margin.top + plotHeight * (1 - cores / max);
  const slot = plotWidth / shown.length;
  const bars = shown.flatMap((step, at) => {
    let below = 0;
    return names.map((name, index) => {
      const cores = coresOf(step, name);
      const top = y(below + cores);
      const bar = `<rect x="${(margin.left + at * slot + slot * 0.15).toFixed(1)}" y="${top.toFixed(1)}" width="${(slot * 0.7).toFixed(1)}" height="${(y(below) - top).toFixed(1)}" fill="${colour(index)}"><title>${escaped(`${step.label}: ${name} ${cores.toFixed(2)} cores`)}</title></rect>`;
      below += cores;
      return bar;
    });
  });
  const grid = Array.from({ length: Math.floor(max) + 1 }, (_, cores) => cores).map(
    (cores) =>
      `${rule(margin.left, y(cores), margin.left + plotWidth, y(cores))}${text(margin.left - 6, y(cores) + 4, `${cores} cores`, 'end')}`,
  );
  const labels = shown.map((step, at) =>
    text(
      margin.left + (at + 0.5) * slot,
      height - 14,
      clipped(step.label, Math.max(3, Math.floor(slot / 6))),
      'middle',
    ),
  );
  return svg([...grid, ...bars, ...labels, ...names.map((name, index) => legend(index, name))]);
}

/** The sends of each second: accepted and refused per second, and the latency of the accepted ones (dashed). */
export function timelinePlot(timeline: readonly TimelineSecond[]): string {
  const lastSecond = Math.max(1, ...timeline.map(({ second }) => second));
  const max = Math.max(1, ...timeline.map(({ sent }) => sent));
  const slowest = Math.max(1, ...timeline.map(({ ackP99 }) => ackP99));
  const x = (second: number) => margin.left + (second / lastSecond) * plotWidth;
  const y = (share: number) => margin.top + plotHeight * (1 - share);
  const line = (index: number, name: string, shareOf: (at: TimelineSecond) => number, dash = '') =>
    `<polyline points="${timeline.map((at) => `${x(at.second).toFixed(1)},${y(shareOf(at)).toFixed(1)}`).join(' ')}" fill="none" stroke="${colour(index)}" stroke-width="1.5" stroke-dasharray="${dash}"/>${legend(index, name)}`;
  const levels = [0, 0.25, 0.5, 0.75, 1];
  return svg([
    ...levels.map(
      (share) =>
        `${rule(margin.left, y(share), margin.left + plotWidth, y(share))}${text(margin.left - 6, y(share) + 4, `${Math.round(share * max)}/s`, 'end')}`,
    ),
    ...levels.map((share) =>
      text(x(share * lastSecond), height - 14, `${Math.round(share * lastSecond)} s`, 'middle'),
    ),
    line(0, 'sent', ({ sent }) => sent / max),
    line(2, 'acknowledged', ({ acknowledged }) => acknowledged / max),
    line(1, 'refused', ({ refused }) => refused / max),
    line(3, `p99, top ${Math.round(slowest)} ms`, ({ ackP99 }) => ackP99 / slowest, '4 3'),
  ]);
}

export const escaped = (raw: string): string =>
  raw.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const coresOf = ({ usage }: Step, name: string): number => usage.find((one) => one.name === name)?.cores ?? 0;
const colour = (index: number): string => colours[index % colours.length] ?? '#000';
const clipped = (label: string, length: number): string =>
  label.length <= length ? label : `${label.slice(0, length - 1)}…`;
const svg = (parts: string[]): string =>
  `<svg viewBox="0 0 ${width} ${height}" role="img">${parts.join('')}</svg>`;
const rule = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" class="grid"/>`;
const text = (x: number, y: number, words: string, anchor: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(words)}</text>`;

function legend(index: number, name: string): string {
  const x = width - margin.right + 10;
  const y = margin.top + 10 + index * 16;
  return `<rect x="${x}" y="${y - 8}" width="9" height="9" fill="${colour(index)}"/>${text(x + 14, y, clipped(name, 22), 'start')}`;
}
