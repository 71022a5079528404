import { type InputHTMLAttributes, useId } from 'react';
import styles from './field.module.css';

/** A field of one line, with its label above it. */
export function Field({
  label,
  ...rest
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'className' | 'id'> & { label: string }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input id={id} className={styles.input} {...rest} />
    </div>
  );
}

/** A choice of one of a few values. */
export function Select<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChange(value: Value): void;
}) {
  const id = useId();
  const choose = (chosen: string) => {
    const option = options.find(([one]) => one === chosen);
    if (option) onChange(option[0]);
  };
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <select id={id} className={styles.input} value={value} onChange={(event) => choose(event.target.value)}>
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Checkbox({
  label,
  ...rest
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'className' | 'type'> & { label: string }) {
  return (
    <label className={styles.checkbox}>
      <input type="checkbox" {...rest} />
      <span>{label}</span>
    </label>
  );
}

/** A field to search in. */
export function SearchField({
  label,
  ...rest
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'className' | 'type'> & { label: string }) {
  return (
    <input
      type="search"
      className={`${styles.input} ${styles.search}`}
      aria-label={label}
      placeholder={label}
      autoComplete="off"
      {...rest}
    />
  );
}
