import { useCallback } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { toast } from '../ui/toast.tsx';
import { sentenceOf } from './errors.ts';

/** Waits for work; tells what was wrong, and resolves to whether it was done. */
export function useTold(): (work: Promise<unknown>) => Promise<boolean> {
  const { t } = useLanguage();
  return useCallback(
    (work) =>
      work.then(
        () => true,
        (error) => {
          toast(sentenceOf(error, t), { isError: true });
          return false;
        },
      ),
    [t],
  );
}
