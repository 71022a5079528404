import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { EmbeddedApp } from './embedding/embedded-app.tsx';
import { createProductTokens } from './embedding/product-tokens.ts';
import { choices } from './session/choices.ts';
import { paths } from './ui/paths.ts';
import './ui/tokens.css';
import './ui/base.css';

const parameters = new URLSearchParams(location.hash.slice(1));
const theme = parameters.get('theme');
const language = parameters.get('lang');
const conversation = parameters.get('conversation');

choices.fix({
  ...(theme === 'light' || theme === 'dark' ? { theme } : {}),
  ...(language === 'en' || language === 'zh' ? { language } : {}),
});
// From now on the fragment is the address of a screen.
if (!location.hash.startsWith('#/'))
  history.replaceState(null, '', conversation ? paths.conversation(conversation) : paths.chats);

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <EmbeddedApp tokens={createProductTokens()} />
    </StrictMode>,
  );
}
