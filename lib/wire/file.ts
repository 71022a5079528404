import { type Static, Type } from 'typebox';
import type { UploadedFile } from '../gen/im_repo/v1/file.ts';

/** An uploaded file. A message of type 2 or 3 has it as JSON in its content. */
export const File = Type.Object(
  {
    id: Type.String(),
    url: Type.String({
      description:
        'A path on this gateway. Its signature is valid for 24 hours at least; every answer and frame that shows the file has a new one',
    }),
    name: Type.String(),
    size: Type.Integer({ description: 'Bytes' }),
    mime: Type.String({ description: 'The media type, by the content of the file' }),
    width: Type.Optional(Type.Integer({ description: 'Of an image, in pixels' })),
    height: Type.Optional(Type.Integer({ description: 'Of an image, in pixels' })),
    thumbnailUrl: Type.Optional(
      Type.String({ description: 'Of an image over 512 pixels: a copy that is no larger than that' }),
    ),
  },
  {
    $id: 'File',
  },
);
export type File = Static<typeof File>;

export const toFile = (file: UploadedFile): File => ({
  id: file.id,
  url: file.url,
  name: file.name,
  size: file.size,
  mime: file.mime,
  ...(file.width === undefined ? {} : { width: file.width }),
  ...(file.height === undefined ? {} : { height: file.height }),
  ...(file.thumbnailUrl === undefined ? {} : { thumbnailUrl: file.thumbnailUrl }),
});
