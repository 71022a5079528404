import { hash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import {
  type ColumnMetaData,
  type DecodedArray,
  type Encoding,
  parquetRead,
  type SchemaElement,
} from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ArchivedMessage } from './archived-message.ts';

/** A part of a file that is read at once. `byteStart` is its place in the file. */
export type RowGroup = {
  byteStart: number;
  byteLength: number;
  messages: number;
  sha256: Buffer;
  /** The bytes of each column as `compressed` or `compressed:dictionary`, where the dictionary is a part of them. */
  layout: string;
};

export type ParquetFile = { bytes: Buffer; rowGroups: RowGroup[] };

/** A page of history needs one row group, or two. */
export const messagesPerRowGroup = 1000;

/** Version 1 of the files, which the keys of objects name. A file of another version needs a reader of its own. */
const columns = [
  integer('conversation_id', (row) => row.conversation_id),
  integer('seq_id', (row) => row.seq_id, 'DELTA_BINARY_PACKED'),
  integer('id', (row) => row.id, 'PLAIN'),
  integer('sender_id', (row) => row.sender_id),
  integer('message_type', (row) => row.message_type),
  text('content', (row) => row.content, 'DELTA_LENGTH_BYTE_ARRAY'),
  text('client_msg_id', (row) => row.client_msg_id.toString('utf8'), 'DELTA_LENGTH_BYTE_ARRAY'),
  flag('deleted', (row) => row.deleted === 1),
  { ...text('extra', (row) => row.extra), nullable: true },
  integer('created_at', (row) => row.created_at, 'DELTA_BINARY_PACKED'),
  integer('change_seq', (row) => row.change_seq),
  { ...integer('edited_at', (row) => row.edited_at), nullable: true },
  flag('pinned', (row) => row.pinned === 1),
  { ...text('reactions', (row) => row.reactions), nullable: true },
  integer('source_partition', (row) => row.source_partition),
  integer('source_offset', (row) => row.source_offset, 'DELTA_BINARY_PACKED'),
] as const;

type Column = {
  name: keyof ArchivedMessage;
  element: Pick<SchemaElement, 'type' | 'converted_type'>;
  nullable?: boolean;
  encoding?: Encoding;
  read: (row: ArchivedMessage) => unknown;
};

function integer(
  name: keyof ArchivedMessage,
  read: (row: ArchivedMessage) => number | null,
  encoding?: Encoding,
): Column {
  const toBigInt = (row: ArchivedMessage) => {
    const value = read(row);
    return value === null ? null : BigInt(value);
  };
  return { name, element: { type: 'INT64' }, read: toBigInt, ...(encoding ? { encoding } : {}) };
}

function text(
  name: keyof ArchivedMessage,
  read: (row: ArchivedMessage) => string | null,
  encoding?: Encoding,
): Column {
  const element = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
  return { name, element, read, ...(encoding ? { encoding } : {}) };
}

function flag(name: keyof ArchivedMessage, read: (row: ArchivedMessage) => boolean): Column {
  return { name, element: { type: 'BOOLEAN' }, read };
}

const schema: SchemaElement[] = [
  { name: 'message', num_children: columns.length },
  ...columns.map(
    ({ name, element, nullable }: Column): SchemaElement => ({
      name,
      ...element,
      repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED',
    }),
  ),
];

/** Higher levels take several times as long for a percent of the bytes. */
const zstdLevel = 6;
const compressors = {
  ZSTD: (input: Uint8Array) =>
    zstdCompressSync(input, { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } }),
};
const decompressors = { ZSTD: (input: Uint8Array) => zstdDecompressSync(input) };

/** Writes messages, sorted by conversation and seq id, into a file. The same messages make the same bytes. */
export function writeParquet(rows: readonly ArchivedMessage[]): ParquetFile {
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema, codec: 'ZSTD', compressors, createdBy: 'GoChat' });
  file.write({
    columnData: columns.map(({ name, encoding, read }: Column) => ({
      name,
      data: rows.map(read),
      offsetIndex: false,
      ...(encoding ? { encoding } : {}),
    })),
    rowGroupSize: messagesPerRowGroup,
  });
  const { row_groups } = file;
  file.finish();
  const bytes = Buffer.from(writer.getBuffer());
  const rowGroups = row_groups.map((group): RowGroup => {
    const metas = group.columns.map(({ meta_data }) => known(meta_data));
    const byteStart = startOf(known(metas[0]));
    const byteLength = metas.reduce((sum, meta) => sum + Number(meta.total_compressed_size), 0);
    return {
      byteStart,
      byteLength,
      messages: Number(group.num_rows),
      sha256: sha256(bytes.subarray(byteStart, byteStart + byteLength)),
      layout: metas.map(layoutOf).join(' '),
    };
  });
  return { bytes, rowGroups };
}

export const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the file that was written lacks metadata');
  return value;
}

const startOf = ({ dictionary_page_offset, data_page_offset }: ColumnMetaData): number =>
  Number(dictionary_page_offset ?? data_page_offset);

function layoutOf(meta: ColumnMetaData): string {
  const dictionary = Number(meta.data_page_offset) - startOf(meta);
  return dictionary === 0 ? `${meta.total_compressed_size}` : `${meta.total_compressed_size}:${dictionary}`;
}

/** Reads the messages of a row group. `bytes` are those of the row group alone. */
export async function readRowGroup(
  bytes: Uint8Array,
  { messages, layout }: Pick<RowGroup, 'messages' | 'layout'>,
): Promise<ArchivedMessage[]> {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const values = new Map<string, DecodedArray[]>();
  await parquetRead({
    file: {
      byteLength: fileStart + buffer.byteLength,
      slice: (start, end) => buffer.slice(start - fileStart, end === undefined ? end : end - fileStart),
    },
    metadata: metadataOf(messages, layout),
    compressors: decompressors,
    onChunk: ({ columnName, columnData }) => {
      const parts = values.get(columnName);
      if (parts) parts.push(columnData);
      else values.set(columnName, [columnData]);
    },
  });
  const column = <T>(name: keyof ArchivedMessage): T[] => {
    const parts = (values.get(name) ?? []) as unknown as ArrayLike<T>[];
    const all =
      parts.length === 1 && parts[0] ? Array.from(parts[0]) : parts.flatMap((part) => Array.from(part));
    if (all.length !== messages) throw new Error(`a row group has ${all.length} values of ${name}`);
    return all;
  };
  const numbers = (name: keyof ArchivedMessage): number[] => column<bigint>(name).map(Number);
  const conversationIds = numbers('conversation_id');
  const seqIds = numbers('seq_id');
  const ids = numbers('id');
  const senderIds = numbers('sender_id');
  const types = numbers('message_type');
  const contents = column<string>('content');
  const clientMsgIds = column<string>('client_msg_id');
  const deleted = column<boolean>('deleted');
  const extras = column<string | null | undefined>('extra');
  const times = numbers('created_at');
  const changes = numbers('change_seq');
  const edits = column<bigint | null | undefined>('edited_at');
  const pinned = column<boolean>('pinned');
  const reactions = column<string | null | undefined>('reactions');
  const partitions = numbers('source_partition');
  const offsets = numbers('source_offset');
  const at = <T>(list: readonly T[], index: number): T => list[index] as T;
  return seqIds.map((seq_id, n) => {
    const edit = edits[n];
    return {
      conversation_id: at(conversationIds, n),
      seq_id,
      id: at(ids, n),
      sender_id: at(senderIds, n),
      message_type: at(types, n),
      content: at(contents, n),
      client_msg_id: Buffer.from(at(clientMsgIds, n)),
      deleted: deleted[n] ? 1 : 0,
      extra: extras[n] ?? null,
      created_at: at(times, n),
      change_seq: at(changes, n),
      edited_at: edit === null || edit === undefined ? null : Number(edit),
      pinned: pinned[n] ? 1 : 0,
      reactions: reactions[n] ?? null,
      source_partition: at(partitions, n),
      source_offset: at(offsets, n),
    };
  });
}

/** The row group is read as if it were the first of a file, after the four bytes with which files begin. */
const fileStart = 4;

/** What the end of the file says of a row group, from the layout that the database keeps: so one request reads it. */
function metadataOf(messages: number, layout: string) {
  let next = fileStart;
  const metas = layout.split(' ').map((part, index): ColumnMetaData => {
    const [compressed = 0, dictionary = 0] = part.split(':').map(Number);
    const column: Column | undefined = columns[index];
    if (!column?.element.type) throw new Error('the layout of a row group has too many columns');
    const start = next;
    next += compressed;
    return {
      type: column.element.type,
      encodings: [],
      path_in_schema: [column.name],
      codec: 'ZSTD',
      num_values: BigInt(messages),
      total_uncompressed_size: 0n,
      total_compressed_size: BigInt(compressed),
      data_page_offset: BigInt(start + dictionary),
      ...(dictionary === 0 ? {} : { dictionary_page_offset: BigInt(start) }),
    };
  });
  return {
    version: 2,
    schema,
    num_rows: BigInt(messages),
    row_groups: [
      {
        columns: metas.map((meta_data) => ({ file_offset: 0n, meta_data })),
        total_byte_size: BigInt(next - fileStart),
        num_rows: BigInt(messages),
      },
    ],
    metadata_length: 0,
  };
}
