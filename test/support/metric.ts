/**
 * The value of a counter, by name and label, of a service of the system under test; 0 if the counter does not exist
 * yet.
 */
export async function metricOf(service: string, name: string, label: string): Promise<number> {
  const url = process.env[`${service.toUpperCase().replaceAll('-', '_')}_METRICS_URL`];
  if (!url)
    throw new Error(
      `the address of ${service}'s metrics is not set: run the tests by \`npm run test:fault\``,
    );
  const lines = (await (await fetch(url)).text()).split('\n');
  const line = lines.find((candidate) => candidate.startsWith(`${name}{`) && candidate.includes(label));
  return Number(line?.split(' ').at(-1) ?? 0);
}
