import type { Room, Upload } from '@gochat/sdk';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { sentenceOf } from '../session/errors.ts';
import { toast } from '../ui/toast.tsx';

/** A file that is being uploaded, or is ready to be sent. */
export interface Attachment {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  /** A picture to show, of a file on this device. */
  readonly preview: string | undefined;
  /** 0 to 1. */
  readonly progress: number;
  readonly isDone: boolean;
  readonly upload: Upload;
  cancel(): void;
}

const mostFiles = 10;
let lastId = 0;

/** The files of the message that is being written. They are uploaded at once, and sent with it. */
export function useAttachments(room: Room) {
  const { t } = useLanguage();
  const [attachments, setAttachments] = useState<readonly Attachment[]>([]);
  const latest = useRef(attachments);
  latest.current = attachments;

  const change = useCallback(
    (id: number, fields: Partial<Attachment>) =>
      setAttachments((all) => all.map((one) => (one.id === id ? { ...one, ...fields } : one))),
    [],
  );

  const remove = useCallback((id: number) => {
    const one = latest.current.find((attachment) => attachment.id === id);
    one?.cancel();
    if (one?.preview) URL.revokeObjectURL(one.preview);
    setAttachments((all) => all.filter((attachment) => attachment.id !== id));
  }, []);

  function begin(file: File): Attachment {
    lastId += 1;
    const id = lastId;
    const stop = new AbortController();
    const upload = room.upload(file, {
      signal: stop.signal,
      onProgress: ({ loaded, total }) => change(id, { progress: total === 0 ? 0 : loaded / total }),
    });
    upload.done.then(
      () => change(id, { progress: 1, isDone: true }),
      (error: unknown) => {
        if (!stop.signal.aborted) toast(`${file.name}: ${sentenceOf(error, t)}`, { isError: true });
        remove(id);
      },
    );
    return {
      id,
      name: file.name,
      size: file.size,
      preview: file.type.startsWith('image/') ? URL.createObjectURL(file) : undefined,
      progress: 0,
      isDone: false,
      upload,
      cancel: () => stop.abort(),
    };
  }

  useEffect(
    () => () => {
      // Leaving the conversation gives up what was not sent.
      for (const { cancel, preview } of latest.current) {
        cancel();
        if (preview) URL.revokeObjectURL(preview);
      }
    },
    [],
  );

  return {
    all: attachments,
    areDone: attachments.every(({ isDone }) => isDone),
    remove,
    add(files: Iterable<File>): void {
      const left = mostFiles - latest.current.length;
      setAttachments([...latest.current, ...[...files].slice(0, left).map(begin)]);
    },
    /** The finished uploads; the list is empty then. */
    take(): Upload[] {
      const uploads = latest.current.map(({ upload }) => upload);
      for (const { preview } of latest.current) if (preview) URL.revokeObjectURL(preview);
      setAttachments([]);
      return uploads;
    },
  };
}

export type Attachments = ReturnType<typeof useAttachments>;
