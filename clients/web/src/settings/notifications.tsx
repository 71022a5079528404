import { useLanguage } from '../i18n/language.tsx';
import { choices, useChoices } from '../session/choices.ts';
import { Checkbox } from '../ui/field.tsx';
import { toast } from '../ui/toast.tsx';
import styles from './settings-screen.module.css';

/** Whether this device shows notifications while a tab is open. */
export function Notifications() {
  const { t } = useLanguage();
  const { notifications } = useChoices();

  async function choose(wanted: boolean): Promise<void> {
    if (!wanted) return choices.set({ notifications: false });
    const isAllowed = 'Notification' in window && (await Notification.requestPermission()) === 'granted';
    choices.set({ notifications: isAllowed });
    if (!isAllowed) toast(t.notificationsDenied, { isError: true });
  }

  return (
    <section className={styles.section}>
      <h2>{t.notifications}</h2>
      <Checkbox
        label={t.desktopNotifications}
        checked={notifications}
        onChange={(event) => void choose(event.target.checked)}
      />
    </section>
  );
}
