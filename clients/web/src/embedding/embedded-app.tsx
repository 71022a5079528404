import { type Client, createClient } from '@gochat/sdk';
import { memoryStorage } from '@gochat/sdk/memory';
import { ChatProvider, useConnection } from '@gochat/sdk/react';
import { useEffect, useState } from 'react';
import { Frame } from '../app/frame.tsx';
import { LanguageProvider } from '../i18n/language.tsx';
import { useChoices } from '../session/choices.ts';
import { gatewayUrl } from '../session/sign-in.ts';
import type { ProductTokens } from './product-tokens.ts';

/** The client for the user of the embedding page. Nothing is stored: the next user of that page may be another one. */
export function EmbeddedApp({ tokens }: { tokens: ProductTokens }) {
  const { language } = useChoices();
  const [client] = useState(() =>
    createClient({ url: gatewayUrl, credentials: { exchange: tokens.next }, storage: memoryStorage() }),
  );
  return (
    <LanguageProvider chosen={language}>
      <ChatProvider client={client}>
        <NewBeginning client={client} tokens={tokens} />
        <Frame />
      </ChatProvider>
    </LanguageProvider>
  );
}

/** When the session has ended, begins anew with the next token. */
function NewBeginning({ client, tokens }: { client: Client; tokens: ProductTokens }) {
  const { state } = useConnection();
  useEffect(() => {
    if (state !== 'ended') return;
    void tokens.next({ reason: 'ended' }).then((token) => {
      tokens.keep(token);
      client.connect().catch(() => {});
    });
  }, [state, client, tokens]);
  return null;
}
