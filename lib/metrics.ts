import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram };

/**
 * Interval at which the delay of the event loop is measured, in milliseconds; the delays (`nodejs_eventloop_lag_…`)
 * include it. At the default of 10 ms, this alone takes 0.4 % of a core, for each registry of an idle process.
 */
const eventLoopMonitoringPrecision = 100;

/** Histogram buckets in seconds, for durations from half a millisecond to ten seconds. */
const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const sizeBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** Answers pairs of a label's value and the gauge's value for it. */
type Observation = () => [string, number][];

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * A process's metrics registry, and constructors for the kinds of metrics that services use. Series have no label for
 * the service or the instance, since the scraper adds labels for its targets.
 */
export function createMetrics(service: string) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision });
  const registers = [registry];
  const info = {
    name: 'gochat_service_info',
    help: 'Which service this is.',
    labelNames: ['service'],
    registers,
  };
  new Gauge(info).set({ service }, 1);
  /** Answers the existing metric if the name is registered, so that several parts of a process can share a metric. */
  const once = <T>(name: string, make: () => T): T =>
    (registry.getSingleMetric(name) as T | undefined) ?? make();
  const observations = new Map<string, Observation[]>();
  return {
    registry,
    counter: <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
      once(name, () => new Counter({ name, help, labelNames, registers })),
    gauge: <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
      once(name, () => new Gauge({ name, help, labelNames, registers })),
    /** A gauge whose value is read at each scrape. */
    observed: (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      }),
    /** A gauge with a label whose values are read at each scrape. Several parts of a process may each add values. */
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
          for (const [value, number] of all.flatMap((observe) => observe()))
            this.set({ [label]: value }, number);
        },
      });
    },
    /** A histogram of seconds. */
    latency: <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
      once(name, () => new Histogram({ name, help, labelNames, registers, buckets: latencyBuckets })),
    /** A histogram of sizes, such as records per batch. */
    size: <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
      new Histogram({ name, help, labelNames, registers, buckets: sizeBuckets }),
  };
}
