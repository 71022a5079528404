import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One line of a chat log: `{minute?, event: say|join|leave, nick, text?}`, one JSON object per line. */
export type LogEvent =
  | { event: 'say'; nick: string; text: string }
  | { event: 'join' | 'leave'; nick: string };

export type ChatLog = {
  events: LogEvent[];
  nicks: string[];
  /** Nicks that are present when the log begins: their first event is not a join. */
  presentAtStart: string[];
  /** The number of lines with an empty text, which a message cannot have. */
  emptyLines: number;
};

/** Reads a log. Throws an Error that names the file and line if a line has another shape. */
export async function readChatLog(path: string): Promise<ChatLog> {
  const events: LogEvent[] = [];
  const first = new Map<string, LogEvent['event']>();
  let emptyLines = 0;
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8') })) {
    number += 1;
    if (line.trim() === '') continue;
    const event = parseLine(line, `${path}:${number}`);
    if (!first.has(event.nick)) first.set(event.nick, event.event);
    if (event.event === 'say' && event.text === '') emptyLines += 1;
    else events.push(event);
  }
  return {
    events,
    nicks: [...first.keys()],
    presentAtStart: [...first].filter(([, event]) => event !== 'join').map(([nick]) => nick),
    emptyLines,
  };
}

function parseLine(line: string, where: string): LogEvent {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`${where} is no JSON`);
  }
  const { event, nick, text } = (value ?? {}) as Record<string, unknown>;
  if (typeof nick !== 'string' || nick === '') throw new Error(`${where} has no nick`);
  if (event === 'say' && typeof text === 'string') return { event, nick, text };
  if (event === 'join' || event === 'leave') return { event, nick };
  throw new Error(`${where}: event must be say (with text), join or leave`);
}

/**
 * Usernames for nicks: letters, digits and `_ . -`, at least three characters, unique regardless of case, with a
 * suffix that is different for each run.
 */
export function usernamesFor(nicks: string[], suffix: string): Map<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const nick of nicks) {
    const base = nick.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 30);
    let name = `${base}.${suffix}`;
    for (let n = 2; taken.has(name.toLowerCase()); n += 1) name = `${base}.${n}.${suffix}`;
    taken.add(name.toLowerCase());
    names.set(nick, name);
  }
  return names;
}
