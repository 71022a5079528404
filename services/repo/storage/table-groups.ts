/**
 * The groups of tables. Each group can have its own database, and a group's rows can be spread over several databases
 * by the id of what they belong to: accounts by user id, conversations by conversation id. So a statement or transaction
 * touches the tables of one group only (docs/decisions/one-transaction-one-aggregate.md).
 */
export type TableGroup = 'directory' | 'accounts' | 'conversations';

/** 'each': every database has its own such table, for the transactions that run there. */
export const tableGroups: Readonly<Record<string, TableGroup | 'each'>> = {
  // What must be unique or found across all accounts and conversations.
  conversation_buckets: 'directory',
  external_identities: 'directory',
  file_contents: 'directory',
  id_workers: 'directory',
  installation: 'directory',
  sequences: 'directory',
  single_conversations: 'directory',
  username_reservations: 'directory',
  username_suffixes: 'directory',
  usernames: 'directory',

  file_usage: 'accounts',
  files: 'accounts',
  flow_texts: 'accounts',
  friendship_requests: 'accounts',
  friendships: 'accounts',
  pairs: 'accounts',
  sessions: 'accounts',
  sign_in_addresses: 'accounts',
  user_blocks: 'accounts',
  user_settings: 'accounts',
  users: 'accounts',

  cold_client_msg_ids: 'conversations',
  cold_leases: 'conversations',
  cold_objects: 'conversations',
  cold_row_groups: 'conversations',
  cold_segments: 'conversations',
  conversation_former_members: 'conversations',
  conversation_heads: 'conversations',
  conversation_members: 'conversations',
  conversations: 'conversations',
  file_references: 'conversations',
  message_changes: 'conversations',
  message_pins: 'conversations',
  message_reactions: 'conversations',
  message_recall_counts: 'conversations',
  message_recalls: 'conversations',
  messages: 'conversations',
  search_blocks: 'conversations',
  search_heads: 'conversations',
  search_terms: 'conversations',
  untold_reactions: 'conversations',
  user_read_pointers: 'conversations',

  idempotency_keys: 'each',
  outbox: 'each',
  outbox_relay: 'each',
  pending_projections: 'each',
  replica_heartbeats: 'each',
  schema_migrations: 'each',
};

/** The groups of the tables that SQL statements name; tables that every database has are left out. */
export function groupsIn(statements: string): Set<TableGroup> {
  const groups = new Set<TableGroup>();
  for (const [, table = ''] of statements.replace(literals, "''").matchAll(tableNames)) {
    const group = tableGroups[table.toLowerCase()];
    if (group !== undefined && group !== 'each') groups.add(group);
  }
  return groups;
}

/** Texts in quotes may look like SQL. */
const literals = /'(?:[^'\\]|\\.|'')*'/g;
const tableNames = /\b(?:FROM|JOIN|STRAIGHT_JOIN|INTO|UPDATE)\s+`?(\w+)/gi;
