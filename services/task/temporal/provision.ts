/**
 * Prepares a Temporal server for GoChat: creates the namespace, the search attributes and the schedules. May be run
 * repeatedly and concurrently. Usage: `node services/task/temporal/provision.ts`
 */
import { Connection } from '@temporalio/client';
import { msToNumber, msToTs, optionalTsToMs } from '@temporalio/common/lib/time.js';
import { Type } from 'typebox';
import { retry } from '../../../lib/async/retry.ts';
import { commonConfig, loadConfig, temporalConfig } from '../../../lib/config.ts';
import { createLogger, type Logger } from '../../../lib/log.ts';
import { searchAttributeTypes } from '../../../workflows/contracts/search-attributes.ts';
import { ensureSchedules } from './schedules.ts';

/** Values of Temporal's enum IndexedValueType. */
const indexedValueTypes = { Keyword: 2, KeywordList: 7 } as const;
/** How long Temporal keeps the histories of closed flows. */
const retention = '7 days';
const readyWithinMs = 60_000;

const grpcStatus = { notFound: 5, alreadyExists: 6 };

/** Creates what is missing, and resolves when flows can be started. */
export async function provision(options: { address: string; namespace: string; log: Logger }): Promise<void> {
  const { namespace, log } = options;
  const connection = await Connection.connect({ address: options.address, connectTimeout: '10s' });
  try {
    await ensureNamespace(connection, namespace, log);
    await ensureSearchAttributes(connection, namespace, log);
    await ensureSchedules(connection, namespace, log);
  } finally {
    await connection.close();
  }
}

async function ensureNamespace(connection: Connection, namespace: string, log: Logger): Promise<void> {
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    await ensureRetention(connection, namespace, config?.workflowExecutionRetentionTtl, log);
    return;
  } catch (error) {
    if (!hasStatus(error, grpcStatus.notFound)) throw error;
  }
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      description: 'GoChat: friend requests, groups, fan-out and maintenance',
      workflowExecutionRetentionPeriod: msToTs(retention),
    });
    log.info({ namespace }, 'namespace registered');
  } catch (error) {
    if (!hasStatus(error, grpcStatus.alreadyExists)) throw error;
  }
}

/** Corrects the retention of an existing namespace: the development server creates its namespace with one day. */
async function ensureRetention(
  connection: Connection,
  namespace: string,
  current: Parameters<typeof optionalTsToMs>[0],
  log: Logger,
): Promise<void> {
  if (optionalTsToMs(current) === msToNumber(retention)) return;
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(retention) },
  });
  log.info({ namespace, retention }, 'retention of the namespace set');
}

/** The server's parts learn of a new namespace and of attributes one after another, so this retries until all agree. */
async function ensureSearchAttributes(connection: Connection, namespace: string, log: Logger): Promise<void> {
  const notYet = new Error('Temporal did not show the registered search attributes in time');
  const attempt = async (): Promise<void> => {
    const missing = await missingSearchAttributes(connection, namespace);
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing),
    });
    log.info({ namespace, names: missing.map(([name]) => name) }, 'search attributes registered');
    throw notYet;
  };
  await retry(attempt, {
    firstMs: 150,
    longestMs: 300,
    withinMs: readyWithinMs,
    isTransient: (error) =>
      error === notYet || hasStatus(error, grpcStatus.notFound) || hasStatus(error, grpcStatus.alreadyExists),
  });
}

async function missingSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<(readonly [name: string, type: number])[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.entries(searchAttributeTypes)
    .filter(([name]) => !Object.hasOwn(customAttributes ?? {}, name))
    .map(([name, type]) => [name, indexedValueTypes[type]] as const);
}

const hasStatus = (error: unknown, status: number): boolean =>
  error instanceof Error && 'code' in error && error.code === status;

if (import.meta.main) {
  const config = loadConfig(Type.Object({ ...commonConfig, ...temporalConfig }));
  const log = createLogger('provision', config.LOG_LEVEL);
  try {
    await provision({ address: config.TEMPORAL_ADDRESS, namespace: config.TEMPORAL_NAMESPACE, log });
    log.info('Temporal is provisioned');
  } catch (error) {
    log.fatal({ err: error }, 'cannot provision Temporal');
    process.exitCode = 1;
  }
}
