/** Does something with people, then shows how things stand now, or what was wrong. */
export type Act = (work: () => Promise<unknown>) => Promise<void>;
