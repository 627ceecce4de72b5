import type { ClientLink, LinkEnd, LinkNotice, LinkStream, StreamReset } from '@sallyport/carrier'
import type {
	AccessSessionInfo,
	AccessTokenAnswer,
	ConnectionInfo,
	DeviceId,
	DeviceSessionInfo,
	EnrolTokenAnswer,
	HostKeyNotice,
	InviteBundle,
	LoginPrompt,
	NodeEvent,
	NodeId,
	NodeInfo,
	RelayInfo,
	SetupRequest,
	StatsAnswer,
	TerminalInfo,
	TokenCreated,
	TokenInfo,
	TokenRequest,
	UserInfo,
} from '@sallyport/protocol'

/** The relay's HTTP interface, typed. Every method rejects with `ClientError` (`code` is an `ApiErrorCode` or `network`). */
export interface RelayApi {
	info(): Promise<RelayInfo>
	nodes(): Promise<{ readonly nodes: readonly NodeInfo[]; readonly streamOffset: string }>
	renameNode(id: NodeId, name: string): Promise<NodeInfo>
	removeNode(id: NodeId): Promise<void>
	connections(): Promise<readonly ConnectionInfo[]>
	closeConnection(id: string): Promise<void>
	createEnrolToken(name?: string): Promise<EnrolTokenAnswer>
	revokeEnrolToken(id: string): Promise<void>
	tokens(): Promise<readonly TokenInfo[]>
	createToken(request: TokenRequest): Promise<TokenCreated>
	revokeToken(id: string): Promise<void>
	accessSessions(): Promise<readonly AccessSessionInfo[]>
	endAccessSession(id: string): Promise<void>
	renameAccount(username: string): Promise<UserInfo>
	stats(): Promise<StatsAnswer>
	signOut(): Promise<void>
}

/** What only a page with the sign-in cookie does. */
export interface PageSession {
	setUp(request: SetupRequest): Promise<UserInfo>
	signIn(email: string, password: string): Promise<UserInfo>
	changePassword(current: string, next: string): Promise<void>
	/** Trades the cookie for a short token; undefined when nobody is signed in. */
	resume(): Promise<AccessTokenAnswer | undefined>
}

/** This device's standing at one node. */
export interface Pairing {
	readonly nodeId: NodeId
	readonly nodeName: string
	/** Of the pinned identity key, as people compare it. */
	readonly fingerprint: string
	readonly pairedAtMs: number
	readonly pairedBy: 'join' | 'invite' | 'approve'
}

export type NodeWatch = (
	event: NodeEvent | { readonly type: 'live' } | { readonly type: 'interrupted'; readonly reason: string },
) => void

export interface JoinOffer {
	/** The whole line to paste on the other machine. */
	readonly command: string
	readonly tokenId: string
	readonly expiresAtMs: number
	/** Resolves with the machine once it is enrolled and paired with this device; rejects on expiry or cancel. */
	readonly joined: Promise<NodeInfo>
	cancel(): Promise<void>
}

/** A request to be let in at a node by approve code. */
export interface ApprovalRequest {
	/** Six digits to type at the node (`sally agent approve`) or on a paired device. */
	readonly code: Promise<string>
	readonly expiresAtMs: Promise<number>
	readonly onState: (listener: (state: ApprovalState) => void) => () => void
	/** The four digits the person carries back; false: they don't match, and the node is not trusted. */
	confirm(returnCode: string): Promise<boolean>
	readonly paired: Promise<Pairing>
	cancel(): void
}
export type ApprovalState =
	| { readonly kind: 'connecting' }
	| { readonly kind: 'queued'; readonly position: number }
	| { readonly kind: 'code'; readonly code: string; readonly expiresAtMs: number }
	| { readonly kind: 'approved' }
	| { readonly kind: 'paired' }
	| { readonly kind: 'failed'; readonly reason: string }

/** A terminal on a node, opened or attached. */
export interface TerminalSession {
	readonly terminalId: string
	readonly name: string
	readonly kind: 'shell' | 'ssh'
	/** Bytes for the screen, in order; call `done` when they have been drawn: it is what paces the host. */
	onOutput(handler: (bytes: Uint8Array, done: () => void) => void): void
	/** False: the host is not reading; hold back until `onWritable`. Nothing is dropped. */
	write(bytes: Uint8Array): boolean
	onWritable(handler: () => void): void
	resize(cols: number, rows: number): void
	/** Leaves it running on the node. */
	detach(): void
	readonly ended: Promise<TerminalEnd>
}
export type TerminalEnd =
	| { readonly kind: 'exit'; readonly status?: number; readonly signal?: string }
	| { readonly kind: 'reset'; readonly reset: StreamReset }
	| { readonly kind: 'link'; readonly end: LinkEnd }
	| { readonly kind: 'detached' }

export interface TerminalSize {
	readonly cols: number
	readonly rows: number
}

/** How an SSH login in a terminal asks its person. Rejecting or returning undefined cancels the login. */
export interface SshLoginUi {
	hostKey(notice: HostKeyNotice): void
	answer(
		prompt: LoginPrompt,
	): Promise<
		| { readonly answers: readonly string[] }
		| { readonly privateKey: { readonly key: string; readonly passphrase?: string } }
		| undefined
	>
}

/** An open link to one node, with what people do over it. One for each node, shared. */
export interface NodeConnection {
	readonly nodeId: NodeId
	readonly link: ClientLink
	readonly session: DeviceSessionInfo
	openTerminal(size: TerminalSize, options?: { readonly name?: string; readonly term?: string }): Promise<TerminalSession>
	attachTerminal(terminalId: string, size: TerminalSize): Promise<TerminalSession>
	openSsh(
		size: TerminalSize,
		login: SshLoginUi,
		target?: { readonly host?: string; readonly port?: number; readonly user?: string },
	): Promise<TerminalSession>
	openExec(
		argv: readonly string[],
		options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
	): Promise<LinkStream>
	openTcp(target?: { readonly host?: string; readonly port?: number }): Promise<LinkStream>
	terminals(): Promise<readonly TerminalInfo[]>
	endTerminal(terminalId: string): Promise<void>
	renameTerminal(terminalId: string, name: string): Promise<void>
	/** Devices paired with the node; others' are listed only with `approve`. */
	devices(): Promise<readonly DeviceSessionInfo[]>
	revokeDevice(sessionId: string): Promise<void>
	/** Resolves with the return code to carry back to the new device. */
	approvePairing(requestId: string, digits: string): Promise<string>
	denyPairing(requestId: string): Promise<void>
	onNotice(listener: (notice: LinkNotice) => void): () => void
}

export interface SallyClient {
	/** The relay's origin and path prefix, without a trailing slash. */
	readonly origin: string
	readonly api: RelayApi
	readonly deviceId: DeviceId
	/** Fingerprint of this device's identity key, as people compare it. */
	readonly fingerprint: string
	/** Live nodes by server-sent events, resumed after a cut; never polls. Returns the stop. */
	watchNodes(watch: NodeWatch): () => void
	pairings(): Promise<readonly Pairing[]>
	forgetPairing(nodeId: NodeId): Promise<void>
	/** The open link to a node, or a new one. Rejects with `ClientError`: `not_paired`, `node_offline`, `session_gone`, `key_changed`, … */
	connect(nodeId: NodeId): Promise<NodeConnection>
	pairByInvite(invite: InviteBundle): Promise<Pairing>
	createJoin(options: { readonly name?: string; readonly user: string }): Promise<JoinOffer>
	/** Goes on waiting for machines whose join command was given out before a reload. Call it once someone is signed in. */
	resumeJoins(): Promise<void>
	requestApproval(nodeId: NodeId): ApprovalRequest
	close(): void
}
