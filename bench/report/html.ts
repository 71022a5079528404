import type { Change } from './compare.ts';
import { coresPlot, escaped, percentilePlot, timelinePlot } from './plots.ts';
import type { RunResult, ScenarioResult, Step } from './result.ts';
import { withUnit } from './table.ts';

const maxStages = 14;

/** A self-contained HTML page with the figures, plots, processes and stages of every scenario. */
export function htmlReport(run: RunResult, changes: readonly Change[]): string {
  const { machine } = run;
  const faults = run.scenarios.flatMap(({ name, faults: sentences }) =>
    sentences.map((one) => `${name}: ${one}`),
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>GoChat, measured ${escaped(run.startedAt)}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:88rem;margin:2rem auto;padding:0 1rem;color:#111}
h2{margin-top:3rem;border-bottom:1px solid #ccc}table{border-collapse:collapse;display:block;overflow-x:auto;margin:.6rem 0;font-size:13px}
td,th{padding:.15rem .5rem;white-space:nowrap;text-align:right;border-bottom:1px solid #eee}td:first-child,th:first-child{text-align:left}
svg{width:100%;max-width:640px;font-size:11px}.grid{stroke:#ddd;stroke-width:1}.plots{display:flex;flex-wrap:wrap}
.plots>div{flex:1 1 30rem}.fault,.worse{color:#b91c1c}.better{color:#047857}details{margin:.4rem 0}.note{color:#92400e}
</style>
<h1>GoChat, measured</h1>
<p>${escaped(run.startedAt)} · commit ${escaped(run.commit)} · ${machine.cores} cores (${escaped(machine.cpu)}), ${Math.round(machine.memoryBytes / 2 ** 30)} GiB · Node ${escaped(machine.node)} · ${escaped(run.gateways.join(', '))} · <code>${escaped(run.arguments.join(' '))}</code></p>
${faults.length === 0 ? '<p>Nothing was lost, repeated or out of order.</p>' : `<ul class="fault">${faults.map((fault) => `<li>${escaped(fault)}</li>`).join('')}</ul>`}
${changes.length > 0 ? changesTable(changes) : ''}
${run.scenarios.map(scenarioSection).join('\n')}
</html>
`;
}

function scenarioSection({ title, steps, seconds }: ScenarioResult): string {
  const names = [...new Set(steps.flatMap(({ figures }) => figures.map(({ name }) => name)))];
  const rows = steps.map((step) => [
    step.label,
    ...names.map((name) => {
      const found = step.figures.find((figure) => figure.name === name);
      return found ? withUnit(found.value, found.unit) : '';
    }),
  ]);
  const kinds = [...new Set(steps.flatMap(({ latencies }) => latencies.map(({ name }) => name)))];
  const plots = kinds.map((kind) => {
    const curves = steps.flatMap(({ label, latencies }) =>
      latencies.filter(({ name }) => name === kind).map(({ data }) => ({ name: label, data })),
    );
    const plot = percentilePlot(curves);
    return plot === '' ? '' : `<div><h4>${escaped(kind)}</h4>${plot}</div>`;
  });
  const timelines = steps.map(({ label, timeline }) =>
    timeline ? `<div><h4>${escaped(label)}, second by second</h4>${timelinePlot(timeline)}</div>` : '',
  );
  return `<h2>${escaped(title)}</h2><p>${Math.round(seconds)} s</p>
${table(['', ...names], rows)}
${steps.flatMap(({ label, notes }) => notes.map((note) => `<p class="note">${escaped(`${label}: ${note}`)}</p>`)).join('')}
<div class="plots">${plots.join('')}${timelines.join('')}<div><h4>CPU</h4>${coresPlot(steps)}</div></div>
${steps.map(stepDetails).join('\n')}`;
}

function stepDetails({ label, usage, stages }: Step): string {
  if (usage.length === 0) return '';
  const processes = usage.map(({ name, cores, peakRss, rss }) => [
    name,
    cores.toFixed(2),
    rss === 0 ? '' : `${Math.round(rss / 2 ** 20)}`,
    peakRss === 0 ? '' : `${Math.round(peakRss / 2 ** 20)}`,
  ]);
  const rows = stages.slice(0, maxStages).map((stage) => {
    const show = (value: number) =>
      stage.metric.endsWith('_seconds') ? withUnit(value * 1000, 'ms') : withUnit(value, '');
    return [
      `${stage.service} ${stage.metric}${stage.labels === '' ? '' : `{${stage.labels}}`}`,
      withUnit(stage.count, ''),
      show(stage.mean),
      show(stage.p50),
      show(stage.p99),
    ];
  });
  return `<details><summary>${escaped(label)}: processes and stages</summary>
${table(['process', 'cores', 'MiB', 'peak MiB'], processes)}
${rows.length > 0 ? table(['stage', 'count', 'mean', 'p50', 'p99'], rows) : ''}</details>`;
}

function changesTable(changes: readonly Change[]): string {
  const rows = changes
    .filter(({ verdict }) => verdict !== 'same')
    .map(
      ({ scenario, step, figure, unit, old, new: fresh, share, verdict }) =>
        `<tr class="${verdict}"><td>${escaped(`${scenario} · ${step} · ${figure}`)}</td><td>${withUnit(old, unit)}</td><td>${withUnit(fresh, unit)}</td><td>${share === undefined ? '' : `${Math.round(share * 100)} %`}</td></tr>`,
    );
  return `<h2>Compared with the earlier run</h2><table><tr><th></th><th>old</th><th>new</th><th>change</th></tr>${rows.join('')}</table>`;
}

const table = (head: string[], rows: string[][]): string =>
  `<table><tr>${head.map((cell) => `<th>${escaped(cell)}</th>`).join('')}</tr>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`)
    .join('')}</table>`;
