const origin = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000;

/**
 * Microseconds of the machine's monotonic clock. All processes of a machine share this clock, so the send time in one
 * process can be compared with the arrival time in another.
 */
export const monotonicMicros = (): number => origin + performance.now() * 1000;
