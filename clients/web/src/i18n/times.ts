/** Dates and times as a locale writes them, in the time zone of this device. */
export function createTimes(locale: string, now: () => number = Date.now) {
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
  const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
  const shortDay = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
  const shortDayOfYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
  const longDay = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
  const longDayOfYear = new Intl.DateTimeFormat(locale, { dateStyle: 'full' });
  const full = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const isThisYear = (time: number) => new Date(time).getFullYear() === new Date(now()).getFullYear();

  return {
    /** 10:05 */
    clock: (time: number) => clock.format(time),
    /** 10:05 today, a weekday within the last week, else the day. */
    brief(time: number) {
      const days = daysBetween(time, now());
      if (days === 0) return clock.format(time);
      if (days > 0 && days < 7) return weekday.format(time);
      return (isThisYear(time) ? shortDay : shortDayOfYear).format(time);
    },
    /** The heading of a day: today and yesterday by name. */
    day(time: number, words: { today: string; yesterday: string }) {
      const days = daysBetween(time, now());
      if (days === 0) return words.today;
      if (days === 1) return words.yesterday;
      return (isThisYear(time) ? longDay : longDayOfYear).format(time);
    },
    full: (time: number) => full.format(time),
    /** "5 minutes ago" */
    ago(time: number) {
      const seconds = Math.round((time - now()) / 1000);
      const unit = units.find(({ seconds: size }) => Math.abs(seconds) >= size) ?? smallest;
      return relative.format(Math.trunc(seconds / unit.seconds), unit.name);
    },
  };
}

export type Times = ReturnType<typeof createTimes>;

const smallest = { name: 'minute', seconds: 60 } as const;
const units = [
  { name: 'year', seconds: 31_536_000 },
  { name: 'month', seconds: 2_592_000 },
  { name: 'day', seconds: 86_400 },
  { name: 'hour', seconds: 3_600 },
  smallest,
] as const;

const midnight = (time: number): number => new Date(time).setHours(0, 0, 0, 0);

/** How many days a time lies before another one, by the calendar of this device. */
export const daysBetween = (earlier: number, later: number): number =>
  Math.round((midnight(later) - midnight(earlier)) / 86_400_000);

export const isSameDay = (one: number, other: number): boolean => daysBetween(one, other) === 0;
