/** The part of the relay's store that `store-suite.ts` exercises, as that suite sees it. An implementation may have more. */
export interface Identified {
	readonly id: string
}
export interface User extends Identified {
	readonly email: string
	readonly username: string
	readonly roles: readonly string[]
	readonly epoch: number
}
export interface Node extends Identified {
	readonly name: string
	readonly owner?: { readonly id: string; readonly username: string }
	readonly hostname?: string
	readonly enrolTokenId?: string
	readonly connectedAtMs?: number
	readonly lastSeenAtMs?: number
	readonly stoppedCleanly: boolean
}
export interface NewUser {
	readonly email: string
	readonly username: string
	readonly passwordHash: string
	readonly roles: readonly string[]
}
export interface NewToken {
	readonly tokenId: string
	readonly tokenHash: string
	readonly name: string
	readonly ttlMs: number
}
export interface Enrolment {
	readonly tokenId: string
	readonly tokenHash: string
	readonly nodeId: string
	readonly identityKey: string
	readonly name: string
	readonly hostname: string
	readonly os: string
	readonly agentVersion: string
}

/** The part of the relay's `Store` that this suite exercises. */
export interface StoreContract {
	relayId(): Promise<string>
	cleanUp(): Promise<number>
	ping(): Promise<void>
	close(): Promise<void>
	readonly users: {
		ownerExists(): Promise<boolean>
		createOwner(
			user: NewUser,
			setupTokenId: string,
		): Promise<
			{ readonly kind: 'created'; readonly user: User; readonly nodeId?: string } | { readonly kind: 'exists' | 'stale' }
		>
		add(user: NewUser): Promise<User>
		findLogin(email: string): Promise<{ readonly user: User; readonly passwordHash: string } | undefined>
		rename(userId: string, username: string): Promise<User | undefined>
		changePassword(userId: string, passwordHash: string): Promise<void>
		disable(userId: string): Promise<void>
	}
	readonly credentials: {
		findAccessSession(
			tokenId: string,
		): Promise<{ readonly tokenHash: string; readonly credentialId: string; readonly user: User } | undefined>
		findPat(
			tokenId: string,
		): Promise<{ readonly tokenHash: string; readonly user: User; readonly scopes: readonly string[] } | undefined>
		isLive(kind: 'web' | 'cli' | 'pat', credentialId: string): Promise<boolean>
	}
	readonly accessSessions: {
		add(session: {
			readonly tokenId: string
			readonly tokenHash: string
			readonly kind: 'web' | 'cli'
			readonly userId: string
			readonly epoch: number
			readonly deviceName: string
			readonly address: string
			readonly scopes: readonly string[]
			readonly idleMs: number
			readonly absoluteMs: number
		}): Promise<number>
		touch(tokenId: string, idleMs: number): Promise<void>
		list(userId: string): Promise<readonly Identified[]>
		revoke(userId: string, tokenId: string): Promise<boolean>
	}
	readonly tokens: {
		addPat(
			token: NewToken & { readonly userId: string; readonly epoch: number; readonly scopes: readonly string[] },
		): Promise<Identified>
		addEnrol(token: NewToken & { readonly userId: string; readonly epoch: number }): Promise<number>
		replaceSetup(token: NewToken): Promise<void>
		listPats(userId: string): Promise<readonly Identified[]>
		revoke(userId: string, kind: 'pat' | 'enrol', tokenId: string): Promise<boolean>
	}
	readonly nodes: {
		enrol(
			request: Enrolment,
		): Promise<{ readonly kind: 'enrolled'; readonly node: Node } | { readonly kind: 'token_invalid' | 'foreign' }>
		find(nodeId: string): Promise<Node | undefined>
		listOf(userId: string): Promise<readonly Node[]>
		rename(userId: string, nodeId: string, name: string): Promise<'renamed' | 'name_taken' | 'not_found'>
		remove(userId: string, nodeId: string): Promise<boolean>
		markConnected(
			nodeId: string,
			hello: { readonly hostname: string; readonly os: string; readonly agentVersion: string },
		): Promise<void>
		markDisconnected(nodeId: string, stoppedCleanly: boolean): Promise<void>
	}
	readonly events: {
		recent(windowMs: number): Promise<readonly { readonly id: string; readonly kind: string; readonly subject: string }[]>
	}
}
