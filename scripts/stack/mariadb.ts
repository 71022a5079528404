import { findProgram, runLogged } from '../process/program.ts';
import type { DatabaseEngine } from './database-server.ts';
import { program } from './requirements.ts';

/**
 * MariaDB from Debian's -core packages, which contain the programs only: the full package would start a service on
 * port 3306.
 */
export const mariadb: DatabaseEngine = {
  title: 'MariaDB',
  folder: 'mariadb',
  requirements: [
    program('mariadb-server-core', 'mariadbd'),
    program('mariadb-server-core', 'mariadb-install-db'),
    program('mariadb-client-core', 'my_print_defaults'),
  ],

  program: async () => ({ command: findProgram('mariadbd') ?? 'mariadbd', args: ['--no-defaults'] }),

  initialize: (_, { data, user, log }) =>
    runLogged(
      findProgram('mariadb-install-db') ?? 'mariadb-install-db',
      [
        '--no-defaults',
        `--datadir=${data}`,
        `--user=${user}`,
        '--auth-root-authentication-method=socket',
        `--auth-root-socket-user=${user}`,
        '--skip-test-db',
      ],
      { log },
    ),

  options: [
    // No table may use a symbolic link to a file outside of the data directory.
    '--skip-symbolic-links',
  ],

  accounts: [],
};
