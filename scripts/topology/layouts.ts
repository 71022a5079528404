/**
 * How the groups of tables are spread on the server: all in one database, each in one of its own, or the conversations
 * in two of their own.
 */
export const databaseLayouts = ['one', 'split', 'sharded'] as const;
export type DatabaseLayout = (typeof databaseLayouts)[number];
