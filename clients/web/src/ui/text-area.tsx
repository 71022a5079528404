import { type ComponentProps, useLayoutEffect, useRef } from 'react';

const growsByItself = CSS.supports('field-sizing', 'content');

/** A field of several lines that is as high as its text. */
export function TextArea({
  ref,
  ...rest
}: ComponentProps<'textarea'> & { ref?: React.RefObject<HTMLTextAreaElement | null> }) {
  const own = useRef<HTMLTextAreaElement>(null);
  const field = ref ?? own;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text has another height.
  useLayoutEffect(() => {
    const element = field.current;
    if (growsByItself || !element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight + element.offsetHeight - element.clientHeight}px`;
  }, [rest.value]);
  return <textarea ref={field} {...rest} />;
}
