import { matchesGlob } from 'node:path';
import { type ServerName, serverNames } from '../stack/server.ts';

/** A server or program that must be available while a test file runs. */
export type Need =
  | ServerName
  /** Temporal's command line tool and its time-skipping server, which the tests start themselves. */
  | 'temporal-programs'
  /** The bundle of all workflows. */
  | 'workflow-bundle'
  | 'prometheus-programs'
  /** All services. */
  | 'system';

interface Row {
  files: string;
  needs: readonly Need[];
}

const flows = ['temporal-programs', 'workflow-bundle'] as const;

/** The needs of files by their path; the first matching row counts. A file without a matching row needs nothing. */
const rows: readonly Row[] = [
  {
    files: 'test/{e2e,fault,schemathesis,web}/**',
    needs: ['system', ...serverNames, ...flows, 'prometheus-programs'],
  },
  { files: 'test/replay/**', needs: ['workflow-bundle'] },

  { files: 'test/integration/bench/**', needs: ['mysql', 'redis'] },
  { files: 'test/integration/gateway/**', needs: ['kafka'] },
  { files: 'test/integration/kafka/**', needs: ['kafka'] },
  { files: 'test/integration/logic/{rebalance,upstream}*', needs: ['kafka'] },
  { files: 'test/integration/logic/**', needs: ['mysql', 'redis', 'kafka'] },
  { files: 'test/integration/repo/{outbox,storage}/**', needs: ['mysql', 'redis', 'kafka'] },
  { files: 'test/integration/repo/**', needs: ['mysql', 'redis'] },
  { files: 'test/integration/task/provision*', needs: ['temporal'] },
  { files: 'test/integration/**', needs: [...serverNames, 'workflow-bundle'] },

  { files: 'workflows/**/{shapes,search-attributes}.test.ts', needs: [] },
  { files: 'workflows/**', needs: flows },
  { files: 'services/task/temporal/orphans.test.ts', needs: flows },
  { files: 'lib/kafka/kafka.test.ts', needs: ['kafka'] },
  { files: 'scripts/prometheus.test.ts', needs: ['prometheus-programs'] },
];

export function needsOf(file: string): readonly Need[] {
  return rows.find(({ files }) => matchesGlob(file, files))?.needs ?? [];
}

/** All needs of some files. */
export function allNeeds(files: readonly string[]): Set<Need> {
  return new Set(files.flatMap(needsOf));
}

/**
 * Groups of test files. Files of different groups may run at the same time; the files of one group share a Redis
 * database, a topic or a consumer group, so they run one after the other.
 */
const groups: readonly { name: string; files: string }[] = [
  { name: 'logic', files: 'test/integration/{logic,task}/**' },
  { name: 'repo', files: 'test/integration/{repo,bench}/**' },
  { name: 'kafka', files: 'test/integration/{gateway,kafka}/**' },
];

/** Splits files into groups that may run at the same time. */
export function apart(files: readonly string[]): string[][] {
  const byGroup = Map.groupBy(
    files,
    (file) => groups.find((one) => matchesGlob(file, one.files))?.name ?? '',
  );
  return [...groups.map(({ name }) => name), ''].flatMap((name) => {
    const group = byGroup.get(name);
    return group === undefined ? [] : [group];
  });
}
