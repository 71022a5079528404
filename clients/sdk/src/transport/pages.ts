const pageSize = 200;

/** Reads a list to its end. `plural` is the field that has the rows. */
export async function allPages<Plural extends string, Row>(
  read: (query: {
    limit: number;
    cursor?: string | undefined;
  }) => Promise<Record<Plural, Row[]> & { nextCursor?: string | undefined }>,
  plural: Plural,
): Promise<Row[]> {
  const all: Row[] = [];
  let cursor: string | undefined;
  do {
    const page = await read({ limit: pageSize, cursor });
    all.push(...page[plural]);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}
