// Room: puts the screens together: who is signed in, which screen the address shows, the frame around it. It shows no
// message itself.

import { createClient, type Session } from '@gochat/sdk';
import { ChatProvider, useConnection } from '@gochat/sdk/react';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { LanguageProvider, useLanguage } from '../i18n/language.tsx';
import { account } from '../session/account.ts';
import { useChoices } from '../session/choices.ts';
import { gatewayUrl } from '../session/sign-in.ts';
import { SignInScreen } from '../session/sign-in-screen.tsx';
import { Frame } from './frame.tsx';

export function App() {
  const { language } = useChoices();
  return (
    <LanguageProvider chosen={language}>
      <SignedInOrNot />
    </LanguageProvider>
  );
}

function SignedInOrNot() {
  const { t } = useLanguage();
  const session = useSyncExternalStore(account.subscribe, account.get);
  const [ended, setEnded] = useState(false);
  if (!session) return <SignInScreen notice={ended ? t.sessionEnded : undefined} />;
  return <SignedIn key={session.sessionId} session={session} onEnded={() => setEnded(true)} />;
}

function SignedIn({ session, onEnded }: { session: Session; onEnded(): void }) {
  const [client] = useState(() => createClient({ url: gatewayUrl, credentials: { session } }));
  return (
    <ChatProvider client={client}>
      <EndOfSession onEnded={onEnded} />
      <Frame />
    </ChatProvider>
  );
}

/** Leads back to signing in when the server has ended the session. What is stored stays, for the same user. */
function EndOfSession({ onEnded }: { onEnded(): void }) {
  const { state } = useConnection();
  useEffect(() => {
    if (state === 'online') account.online();
    if (state !== 'ended') return;
    if (!account.isLeaving()) onEnded();
    account.clear();
  }, [state, onEnded]);
  return null;
}
