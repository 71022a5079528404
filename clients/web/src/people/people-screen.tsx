import type { FriendRequest, User } from '@gochat/sdk';
import { useClient } from '@gochat/sdk/react';
import { useEffect, useState } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { sentenceOf } from '../session/errors.ts';
import { useMe } from '../session/me.ts';
import { Button } from '../ui/button.tsx';
import { SearchField } from '../ui/field.tsx';
import { go, paths } from '../ui/paths.ts';
import { toast } from '../ui/toast.tsx';
import type { Act } from './act.ts';
import { FriendRow } from './friend-row.tsx';
import { nameOf } from './names.ts';
import styles from './people-screen.module.css';
import { PersonRow } from './person-row.tsx';
import { type People, usePeople } from './use-people.ts';

/** Friends, requests, and finding people. */
export default function PeopleScreen() {
  const { t } = useLanguage();
  const people = usePeople();
  const act = useAct(people);
  const [query, setQuery] = useState('');
  const { friends, incoming, outgoing } = people;
  return (
    <div className={styles.screen}>
      <h1>{t.people}</h1>
      <SearchField label={t.searchPeople} value={query} onChange={(event) => setQuery(event.target.value)} />
      {query.trim() !== '' && <Results query={query.trim()} people={people} act={act} />}
      <section>
        <h2>{t.requests}</h2>
        <ul aria-label={t.requests} className={styles.list}>
          {incoming.map((request) => (
            <Incoming key={request.id} request={request} act={act} />
          ))}
          {outgoing.map((request) => (
            <Outgoing key={request.id} request={request} act={act} />
          ))}
          {incoming.length === 0 && outgoing.length === 0 && <li className={styles.soft}>{t.noRequests}</li>}
        </ul>
      </section>
      <section>
        <h2>{t.friends}</h2>
        <ul aria-label={t.friends} className={styles.list}>
          {friends === undefined && <li className={styles.soft}>{t.loading}</li>}
          {friends?.length === 0 && <li className={styles.soft}>{t.noFriends}</li>}
          {friends?.map((friend) => (
            <FriendRow key={friend.id} friend={friend} act={act} />
          ))}
        </ul>
      </section>
    </div>
  );
}

/** Does something, then shows how things stand now, or what was wrong. */
function useAct({ reload }: People): Act {
  const { t } = useLanguage();
  return async (work) => {
    try {
      await work();
    } catch (error) {
      toast(sentenceOf(error, t), { isError: true });
    }
    await reload().catch(() => {});
  };
}

function Incoming({ request, act }: { request: FriendRequest; act: Act }) {
  const { t } = useLanguage();
  const client = useClient();
  const { requester, message } = request;
  return (
    <PersonRow person={requester} note={message || t.wantsToBeFriends}>
      <Button small kind="main" onClick={() => act(() => client.friends.accept(request.id))}>
        {t.accept}
      </Button>
      <Button small onClick={() => act(() => client.friends.reject(request.id))}>
        {t.reject}
      </Button>
      <Button small onClick={() => act(() => client.friends.block(requester.id))}>
        {t.block}
      </Button>
    </PersonRow>
  );
}

function Outgoing({ request, act }: { request: FriendRequest; act: Act }) {
  const { t } = useLanguage();
  const client = useClient();
  return (
    <PersonRow person={request.target} note={t.waitsForAnswer}>
      <Button small onClick={() => act(() => client.friends.withdraw(request.id))}>
        {t.withdraw}
      </Button>
    </PersonRow>
  );
}

const searchDelayMs = 250;

function Results({ query, people, act }: { query: string; people: People; act: Act }) {
  const { t } = useLanguage();
  const client = useClient();
  const me = useMe();
  const [found, setFound] = useState<readonly User[]>();
  useEffect(() => {
    let isOver = false;
    const timer = setTimeout(() => {
      client.users.search(query).then(
        (users) => !isOver && setFound(users.filter(({ id }) => id !== me.id)),
        (error) => !isOver && toast(sentenceOf(error, t), { isError: true }),
      );
    }, searchDelayMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client, query, me.id, t]);
  return (
    <section>
      <h2>{t.results}</h2>
      {found?.length === 0 && <p className={styles.soft}>{t.nobodyFound}</p>}
      <ul aria-label={t.results} className={styles.list}>
        {found?.map((user) => (
          <Result key={user.id} user={user} people={people} act={act} />
        ))}
      </ul>
    </section>
  );
}

function Result({ user, people, act }: { user: User; people: People; act: Act }) {
  const { t } = useLanguage();
  const client = useClient();
  const friend = people.friends?.find(({ id }) => id === user.id);
  const isAsked = people.outgoing.some(({ target }) => target.id === user.id);
  const block = async () => {
    await client.friends.block(user.id);
    toast(t.blocked);
  };
  const add = async () => {
    await client.friends.request(user.id);
    toast(t.requestSent);
  };
  return (
    <PersonRow person={user} note={`@${user.username}`}>
      {friend && (
        <Button small onClick={() => go(paths.conversation(friend.conversationId))}>
          {t.messagePerson}
        </Button>
      )}
      {!friend && (
        <Button
          small
          kind="main"
          disabled={isAsked}
          onClick={() => act(add)}
          aria-label={t.addFriend}
          title={nameOf(user)}
        >
          {isAsked ? t.requestSent : t.addFriend}
        </Button>
      )}
      {!friend && (
        <Button small onClick={() => act(block)}>
          {t.block}
        </Button>
      )}
    </PersonRow>
  );
}
