import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram };

/** Seconds, for what takes from half a millisecond to ten seconds. */
const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const sizeBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** A value for each value of a label. */
type Observation = () => [string, number][];

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * A process's metrics registry with the few shapes of instrument that services use. Whose they are is for the
 * scraper to say (its targets have labels): the series themselves carry no labels but their own.
 */
export function createMetrics(service: string) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const info = {
    name: 'gochat_service_info',
    help: 'Which service this is.',
    labelNames: ['service'],
    registers,
  };
  new Gauge(info).set({ service }, 1);
  /** Two parts of a process may count the same thing: the same name again answers the same instrument. */
  const once = <T>(name: string, make: () => T): T =>
    (registry.getSingleMetric(name) as T | undefined) ?? make();
  const observations = new Map<string, Observation[]>();
  return {
    registry,
    counter: <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
      once(name, () => new Counter({ name, help, labelNames, registers })),
    gauge: <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
      once(name, () => new Gauge({ name, help, labelNames, registers })),
    /** A gauge whose value is asked for at each scrape. */
    observed: (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      }),
    /** The same with a label. Several parts of a process may each tell of values of their own. */
    observedBy<L extends string>(name: string, help: string, label: L, values: Observation): void {
      const all = observations.get(name) ?? [];
      all.push(values);
      if (all.length > 1) return;
      observations.set(name, all);
      new Gauge<string>({
        name,
        help,
        labelNames: [label],
        registers,
        collect() {
          for (const [value, number] of all.flatMap((told) => told())) this.set({ [label]: value }, number);
        },
      });
    },
    /** A histogram of seconds. */
    latency: <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
      new Histogram({ name, help, labelNames, registers, buckets: latencyBuckets }),
    /** A histogram of how many things were in something. */
    size: <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
      new Histogram({ name, help, labelNames, registers, buckets: sizeBuckets }),
  };
}
