/** The paths of the files with the secrets of the services. */
export interface KeyFiles {
  AUTH_PRIVATE_KEY_FILE: string;
  AUTH_PUBLIC_KEY_FILE: string;
  /** The token with which the services authenticate to each other. */
  GRPC_TOKEN_FILE: string;
  /** The secret that signs the addresses of uploaded files. */
  FILES_SECRET_FILE: string;
}

/** For plans of which only names and ports count. */
export const noKeys: KeyFiles = {
  AUTH_PRIVATE_KEY_FILE: '',
  AUTH_PUBLIC_KEY_FILE: '',
  GRPC_TOKEN_FILE: '',
  FILES_SECRET_FILE: '',
};
