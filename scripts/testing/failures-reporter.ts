import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';
import { fileOfTitle, oneProcess } from './one-process.ts';

const silenceMs = 30_000;

/**
 * A reporter for node:test that prints each file, what its tests measured (`t.diagnostic`), and only the failed tests
 * of it with their errors.
 */
export default async function* failuresReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const printed = new Map<string, string[]>();
  const path: string[] = [];
  const silence = watchSilence();
  let ofFile: FileCounts = { passed: 0, failed: 0, skipped: 0 };

  for await (const { type, data } of events) {
    if (data !== undefined && 'file' in data && data.file !== undefined) silence.brokenBy(data.file);
    if (type === 'test:stdout' || type === 'test:stderr') {
      const lines = printed.get(data.file) ?? [];
      lines.push(data.message);
      printed.set(data.file, lines);
    }
    if (type === 'test:diagnostic' && data.file !== undefined) yield `    · ${data.message}\n`;
    if (type === 'test:start') path.splice(data.nesting, Number.POSITIVE_INFINITY, data.name);
    if (type === 'test:fail' && data.todo === undefined && !isParentOfFailure(data.details.error)) {
      const titles = [...path.slice(0, data.nesting), data.name];
      const title = titles.filter((one) => fileOfTitle(one) === undefined).join(' › ');
      yield `\n  ✗ ${title}\n    ${where(data)}\n${indent(reason(data.details.error))}\n`;
      const output = printed.get(data.file ?? '')?.join('') ?? '';
      if (output !== '') yield `    It printed:\n${indent(output.split('\n').slice(-40).join('\n'))}\n`;
      printed.delete(data.file ?? '');
    }
    if (type === 'test:summary' && data.file !== undefined && data.file !== oneProcess) {
      const { passed = 0, failed = 0, skipped = 0 } = data.counts as Partial<FileCounts>;
      yield summary(data.file, { passed, failed, skipped }, data.success, data.duration_ms);
    }
    if (type === 'test:pass' || type === 'test:fail') {
      // In a process of many files node:test sends no summary per file: the end of the file's suite replaces it.
      const file = fileOfTitle(data.name);
      if (file === undefined && data.details.type !== 'suite') count(ofFile, type, data.skip);
      if (file !== undefined) {
        yield summary(file, ofFile, type === 'test:pass', data.details.duration_ms);
        ofFile = { passed: 0, failed: 0, skipped: 0 };
      }
    }
  }
}

interface FileCounts {
  passed: number;
  failed: number;
  skipped: number;
}

function count(
  counts: FileCounts,
  type: 'test:pass' | 'test:fail',
  skip: string | boolean | undefined,
): void {
  if (type === 'test:fail') counts.failed += 1;
  else if (skip === undefined) counts.passed += 1;
  else counts.skipped += 1;
}

function summary(file: string, counts: FileCounts, isGood: boolean, durationMs: number): string {
  const { passed, failed, skipped } = counts;
  const rest = [failed ? `${failed} failed` : '', skipped ? `${skipped} skipped` : ''];
  const result = [`${passed} passed`, ...rest].filter(Boolean).join(', ');
  return `  ${isGood ? '✓' : '✗'} ${relative(process.cwd(), file)}: ${result} (${seconds(durationMs)})\n`;
}

/** Prints the last active file after 30 s without an event, so that a file that hangs can be found. */
function watchSilence() {
  let file = '';
  const watch = () =>
    console.log(`  … nothing new for ${silenceMs / 1000} s; last heard of: ${relative(process.cwd(), file)}`);
  const timer = setInterval(watch, silenceMs).unref();
  return {
    brokenBy(heardOf: string) {
      file = heardOf;
      timer.refresh();
    },
  };
}

/** True for a suite that failed because of its tests: only the tests are printed. */
function isParentOfFailure(error: unknown): boolean {
  return (error as { failureType?: string } | undefined)?.failureType === 'subtestsFailed';
}

function where(data: { file?: string; line?: number }): string {
  return `${relative(process.cwd(), data.file ?? '')}:${data.line ?? 1}`;
}

/** The thrown error without Node's own stack frames; node:test wraps it as the cause of its error. */
function reason(error: Error): string {
  if (!(error.cause instanceof Error)) return inspect(error.cause ?? error);
  const thrown = error.cause;
  const because = thrown.cause === undefined ? '' : `\nCause: ${inspect(thrown.cause, { depth: 4 })}`;
  const lines = `${thrown.stack ?? thrown.message}${because}`.split('\n');
  return lines.filter((line) => !/^\s+at .*node:internal/.test(line)).join('\n');
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, '    ');
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
