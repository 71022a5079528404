import { useLanguage } from '../i18n/language.tsx';
import { Checkbox } from '../ui/field.tsx';
import styles from './friend-choice.module.css';
import { nameOf } from './names.ts';
import { usePeople } from './use-people.ts';

/** Checkboxes of friends, but those who are left out. */
export function FriendChoice({
  label,
  chosen,
  without = [],
  onChange,
}: {
  label: string;
  chosen: readonly string[];
  without?: readonly string[];
  onChange(ids: readonly string[]): void;
}) {
  const { t } = useLanguage();
  const { friends } = usePeople();
  if (!friends) return <p className={styles.note}>{t.loading}</p>;
  const offered = friends.filter(({ id }) => !without.includes(id));
  if (offered.length === 0) return <p className={styles.note}>{t.noFriendsToAdd}</p>;
  return (
    <fieldset className={styles.choice}>
      <legend>{label}</legend>
      {offered.map((friend) => (
        <Checkbox
          key={friend.id}
          label={friend.remark || nameOf(friend)}
          checked={chosen.includes(friend.id)}
          onChange={(event) =>
            onChange(event.target.checked ? [...chosen, friend.id] : chosen.filter((id) => id !== friend.id))
          }
        />
      ))}
    </fieldset>
  );
}
