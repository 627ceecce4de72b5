/** The client in a page: keys that can't be exported, in IndexedDB, and the cookie's session. */
export * from './open-browser-client.ts'
