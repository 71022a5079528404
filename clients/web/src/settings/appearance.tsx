import { type LanguageName, languages, useLanguage } from '../i18n/language.tsx';
import { choices, useChoices } from '../session/choices.ts';
import { Select } from '../ui/field.tsx';
import styles from './settings-screen.module.css';

/** Theme and language of this device. */
export function Appearance() {
  const { t } = useLanguage();
  const { theme, language } = useChoices();
  const named = Object.entries(languages) as [LanguageName, { label: string }][];
  return (
    <section className={styles.section}>
      <h2>{t.appearance}</h2>
      <Select
        label={t.theme}
        value={theme}
        options={[
          ['system', t.themeSystem],
          ['light', t.themeLight],
          ['dark', t.themeDark],
        ]}
        onChange={(value) => choices.set({ theme: value })}
      />
      <Select
        label={t.language}
        value={language}
        options={[['system', t.languageSystem], ...named.map(([name, { label }]) => [name, label] as const)]}
        onChange={(value) => choices.set({ language: value })}
      />
    </section>
  );
}
