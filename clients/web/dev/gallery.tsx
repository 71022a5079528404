import { ChatProvider } from '@gochat/sdk/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Frame } from '../src/app/frame.tsx';
import { LanguageProvider } from '../src/i18n/language.tsx';
import { choices } from '../src/session/choices.ts';
import { SignInScreen } from '../src/session/sign-in-screen.tsx';
import '../src/ui/tokens.css';
import '../src/ui/base.css';
import { pretendClient } from './pretend-client.ts';
import { scenes } from './scenes.ts';

/** One state of the client per address: /dev/gallery?scene=chat&theme=dark&lang=zh. Only while developing. */
const asked = new URLSearchParams(location.search);
const theme = asked.get('theme');
const language = asked.get('lang');
choices.fix({
  ...(theme === 'light' || theme === 'dark' ? { theme } : {}),
  ...(language === 'en' || language === 'zh' ? { language } : {}),
});
const name = asked.get('scene') ?? '';
const scene = scenes[name];
if (scene?.hash) history.replaceState(null, '', scene.hash);

const root = document.getElementById('root');
if (root) createRoot(root).render(<StrictMode>{page()}</StrictMode>);

function page() {
  if (name === 'sign-in') {
    return (
      <LanguageProvider chosen={choices.get().language}>
        <SignInScreen notice="Wrong username or password." />
      </LanguageProvider>
    );
  }
  if (!scene) {
    return (
      <ul>
        {['sign-in', ...Object.keys(scenes)].map((one) => (
          <li key={one}>
            <a href={`?scene=${one}`}>{one}</a>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <LanguageProvider chosen={choices.get().language}>
      <ChatProvider client={pretendClient(scene)}>
        <Frame />
      </ChatProvider>
    </LanguageProvider>
  );
}
