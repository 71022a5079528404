const origin = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000;

/**
 * Microseconds of the machine's monotonic clock. It is the same clock in every process of one machine, so a time
 * taken where a message is sent can be compared with one taken where it arrives.
 */
export const monotonicMicros = (): number => origin + performance.now() * 1000;
