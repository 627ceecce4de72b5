/** Who this client is to the relay. */
export interface Credential {
	/** A bearer token for HTTP; minted afresh when the last is about to end. Rejects `unauthenticated` when there is none. */
	token(): Promise<string>
	/** What a socket's hello presents. */
	hello(): Promise<HelloCredential>
	/** The relay refused this token. True: `token()` may give another now, so one more try makes sense. */
	renewAfterRefusal(token: string): boolean
}

export type HelloCredential = { readonly token: string } | { readonly page_ticket: string }

/** A token that was given out once and stays what it is: of a CLI sign-in, or a PAT. */
export function tokenCredential(read: () => Promise<string>): Credential {
	return {
		token: read,
		hello: async () => ({ token: await read() }),
		renewAfterRefusal: () => false,
	}
}
