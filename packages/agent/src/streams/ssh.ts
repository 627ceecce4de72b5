import { userInfo } from 'node:os'
import type { InboundStream } from '@sallyport/carrier'
import type { OpenStream } from '@sallyport/protocol'
import type { ClientChannel, ServerHostKeyAlgorithm } from 'ssh2'
import ssh2 from 'ssh2'
import { errorText } from '../errors.ts'
import { connectTcp } from './connect.ts'
import type { HostKeys } from './host-keys.ts'
import { describeHostKey } from './host-keys.ts'
import { LoginPrompter, SshLogin } from './ssh-login.ts'
import { SshSource } from './ssh-source.ts'
import type { Target } from './target.ts'
import type { TerminalOwner } from './terminal.ts'
import type { Terminals } from './terminals.ts'

export type SshRequest = Extract<OpenStream, { kind: 'ssh' }>

export interface SshDeps {
	readonly terminals: Terminals
	readonly hostKeys: HostKeys
	/** `none`: log in without asking for credentials, as the own sshd is set up for it. */
	readonly authMethod: 'credentials_prompt' | 'none'
}

interface SshTask extends SshDeps {
	readonly inbound: InboundStream
	readonly request: SshRequest
	readonly target: Target
	readonly owner: TerminalOwner
}

/** Logs in at an SSH server that the policy has allowed, with the person's answers, and gives a terminal there. */
export async function openSsh(task: SshTask, addresses: readonly string[]): Promise<void> {
	const { inbound, target } = task
	const result = await connectTcp(target.host, addresses, target.port)
	if (result.kind === 'failed') {
		inbound.stream.reset(result.code, result.message)
		return
	}
	const { socket } = result
	const { stream } = inbound
	const client = new ssh2.Client()
	const terminalId = task.terminals.newId()
	const name = task.terminals.freeName('ssh', task.owner)
	const prompter = new LoginPrompter(stream)
	const early = new EarlyInput()
	let isSettled = false
	const give = (code: 'auth_failed' | 'host_key_changed' | 'protocol_error' | 'limit_reached', message: string): void => {
		if (isSettled) return
		isSettled = true
		stream.reset(code, message)
		leave()
	}
	// The client takes the socket over only at `connect`, once there is a user name: until then nobody else watches it.
	const leave = (): void => {
		client.destroy()
		socket.destroy()
	}
	const lost = (): void => give('auth_failed', `${target.host} closed the connection before the login was complete`)
	socket.on('error', () => undefined)
	socket.once('close', lost)
	// It stays half open, and a login would wait for ever: a server that ends its half has said its last word.
	socket.once('end', lost)
	client.on('error', (error) =>
		give(error.level === 'client-authentication' ? 'auth_failed' : 'protocol_error', failureText(error, target)),
	)
	client.on('close', lost)
	inbound.accept({ terminal_id: terminalId, name })
	stream.setHandlers({
		onData: (bytes) => early.push(bytes),
		onMessage: (message) => {
			if (message.op === 'resize') early.resize(message.cols, message.rows)
			else prompter.handle(message)
		},
		onReset: () => {
			isSettled = true
			leave()
		},
		onEnd: () => give('auth_failed', 'the login was given up'),
	})
	const username = await loginName(task, prompter)
	if (isSettled) return
	const login = new SshLogin(prompter, username, task.authMethod)
	client.on('ready', () => {
		client.setNoDelay(true)
		const size = early.size ?? task.request
		client.shell(
			{ term: task.request.term ?? 'xterm-256color', cols: size.cols, rows: size.rows },
			(error, channel: ClientChannel) => {
				if (error !== undefined) return give('protocol_error', `${target.host} gave no shell: ${error.message.slice(0, 200)}`)
				if (isSettled) return client.destroy()
				if (task.terminals.isFull) return give('limit_reached', 'this machine has as many terminals as it takes; end some first')
				isSettled = true
				const source = new SshSource(client, channel)
				const terminal = task.terminals.add({
					id: terminalId,
					name,
					kind: 'ssh',
					owner: task.owner,
					cols: size.cols,
					rows: size.rows,
					source,
				})
				for (const bytes of early.take()) source.write(bytes, () => stream.consume(bytes.length))
				terminal.attach(stream, size)
				return undefined
			},
		)
	})
	client.connect({
		sock: socket,
		username,
		// People type passwords in their own time; the server has its own limit.
		readyTimeout: 0,
		keepaliveInterval: 30_000,
		hostVerifier: (key: Buffer, verify: (isValid: boolean) => void) =>
			void checkHostKey(task, key, give).then(verify, () => verify(false)),
		...hostKeyOrder(task),
		authHandler: (methodsLeft, partialSuccess, next) => {
			login
				.next(methodsLeft, partialSuccess)
				.then((method) => {
					if (method !== undefined) return next(method)
					return give('auth_failed', loginFailure(task, login))
				})
				.catch((error: unknown) => give('auth_failed', `the login could not be tried: ${errorText(error).slice(0, 200)}`))
		},
	})
}

async function loginName(task: SshTask, prompter: LoginPrompter): Promise<string> {
	if (task.request.user !== undefined && task.request.user !== '') return task.request.user
	if (task.authMethod === 'none') return userInfo().username
	for (;;) {
		const answer = await prompter.ask('username', {
			prompts: [{ text: `User name at ${task.target.host}`, echo: true }],
			methods: [],
		})
		const name = answer.answers?.[0]?.trim() ?? ''
		if (name !== '') return name
	}
}

async function checkHostKey(
	task: SshTask,
	blob: Uint8Array,
	give: (code: 'host_key_changed', message: string) => void,
): Promise<boolean> {
	const { target } = task
	const key = describeHostKey(blob)
	const verdict = await task.hostKeys.check(target, key)
	task.inbound.stream.send({
		op: 'host_key',
		host: target.host,
		port: target.port,
		key_type: key.keyType,
		fingerprint: key.fingerprint,
		state: verdict.state,
		...(verdict.state === 'changed' ? { pinned_fingerprint: verdict.pinned.fingerprint } : {}),
	})
	if (verdict.state !== 'changed') return true
	give(
		'host_key_changed',
		`the key of ${target.host} port ${target.port} is not the one this machine knows: it was ${verdict.pinned.fingerprint}, now it is ${key.fingerprint}. ` +
			`If the server was set up anew, run on this machine: sally agent forget-host ${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`,
	)
	return false
}

/** Asks for the pinned kind of key first, so that a server that has several shows the one that is known. */
function hostKeyOrder(task: SshTask): {
	algorithms?: { serverHostKey: { prepend: ServerHostKeyAlgorithm[]; append: []; remove: [] } }
} {
	const type = task.hostKeys.find(task.target)?.key_type
	const known: Readonly<Record<string, ServerHostKeyAlgorithm[]>> = {
		'ssh-ed25519': ['ssh-ed25519'],
		'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
		'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
		'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
		'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
	}
	const prepend = type === undefined ? undefined : known[type]
	return prepend === undefined ? {} : { algorithms: { serverHostKey: { prepend, append: [], remove: [] } } }
}

function loginFailure(task: SshTask, login: SshLogin): string {
	if (task.authMethod === 'none') return `${task.target.host} asks for credentials, but this node is set to SSH_AUTH_METHOD=none`
	return login.attempts === 0
		? `${task.target.host} offers no way to log in that can be used here`
		: `${task.target.host} refused the login ${login.attempts} times`
}

function failureText(error: Error & { readonly level?: string }, target: Target): string {
	if (error.level === 'client-authentication') return `${target.host} refused the login`
	return `the SSH connection to ${target.host} failed: ${error.message.slice(0, 200)}`
}

/** What is typed and sized before there is a shell; its credit is held back, so it is at most a window. */
class EarlyInput {
	readonly #chunks: Uint8Array[] = []
	size: { readonly cols: number; readonly rows: number } | undefined

	push(bytes: Uint8Array): void {
		this.#chunks.push(bytes)
	}

	resize(cols: number, rows: number): void {
		this.size = { cols, rows }
	}

	take(): readonly Uint8Array[] {
		return this.#chunks.splice(0)
	}
}
