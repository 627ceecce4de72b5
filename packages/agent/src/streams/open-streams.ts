import type { Clock, InboundStream, NodeLink } from '@sallyport/carrier'
import type { Capability, OpenStream } from '@sallyport/protocol'
import type { Policy } from '../config/policy.ts'
import { errorText } from '../errors.ts'
import { openExec } from './exec.ts'
import type { HostKeys } from './host-keys.ts'
import { openPty } from './pty-node.ts'
import type { Account } from './shell-environment.ts'
import { loginShell } from './shell-environment.ts'
import { openSsh } from './ssh.ts'
import type { Resolve, Target } from './target.ts'
import { decideTarget } from './target.ts'
import { openTcp } from './tcp.ts'
import type { TerminalOwner } from './terminal.ts'
import type { Terminals } from './terminals.ts'

export interface StreamDeps {
	readonly clock: Clock
	/** The agent's own environment: programs get a small part of it. */
	readonly env: NodeJS.ProcessEnv
	/** Whose shell, home and name programs get. */
	readonly account: Account
	readonly terminals: Terminals
	readonly hostKeys: HostKeys
	readonly ownSsh: Target
	readonly sshAuthMethod: 'credentials_prompt' | 'none'
	/** As it is now: it can be reloaded. */
	readonly policy: () => Policy
	readonly resolve?: Resolve
}

type ShellRequest = Extract<OpenStream, { kind: 'shell' }>
type AttachRequest = Extract<OpenStream, { kind: 'attach' }>
type RemoteRequest = Extract<OpenStream, { kind: 'ssh' | 'tcp' }>

const NEEDED: Readonly<Record<OpenStream['kind'], Capability>> = {
	shell: 'shell',
	attach: 'shell',
	ssh: 'shell',
	exec: 'exec',
	tcp: 'forward',
}

/** Opens one stream, if the device's capabilities and the node's policy both allow it. */
export async function openInbound(link: NodeLink, inbound: InboundStream, deps: StreamDeps): Promise<void> {
	const { request, stream } = inbound
	const needed = NEEDED[request.kind]
	if (!link.session.capabilities.includes(needed)) {
		stream.reset('capability_missing', `this device may not use ${needed} on this machine; pair it again with that permission`)
		return
	}
	const owner = { deviceId: link.device.deviceId, user: link.session.user }
	const policy = deps.policy()
	switch (request.kind) {
		case 'shell':
			return policy.shell ? openShell(inbound, request, owner, deps) : refuse(inbound, 'shells')
		case 'attach':
			return policy.shell ? attach(inbound, request, owner, deps) : refuse(inbound, 'shells')
		case 'exec':
			return policy.exec ? openExec(inbound, request, deps) : refuse(inbound, 'programs without a terminal')
		case 'ssh':
		case 'tcp':
			return openRemote({ link, owner }, inbound, request, deps)
	}
}

function openShell(inbound: InboundStream, request: ShellRequest, owner: TerminalOwner, deps: StreamDeps): void {
	if (deps.terminals.isFull) {
		inbound.stream.reset('limit_reached', 'this machine has as many terminals as it takes; end some first')
		return
	}
	const id = deps.terminals.newId()
	const name = request.name ?? deps.terminals.freeName('shell', owner)
	const size = { cols: request.cols, rows: request.rows }
	const source = startShell(inbound, request, deps)
	if (source === undefined) return
	const terminal = deps.terminals.add({ id, name, kind: 'shell', owner, ...size, source })
	inbound.accept({ terminal_id: id, name })
	terminal.attach(inbound.stream, size)
}

function startShell(inbound: InboundStream, request: ShellRequest, deps: StreamDeps): ReturnType<typeof openPty> | undefined {
	try {
		return openPty({ ...loginShell(deps.env, request.term, deps.account), cols: request.cols, rows: request.rows })
	} catch (error) {
		inbound.stream.reset('spawn_failed', `the shell could not be started: ${errorText(error).slice(0, 300)}`)
		return undefined
	}
}

function attach(inbound: InboundStream, request: AttachRequest, owner: TerminalOwner, deps: StreamDeps): void {
	const terminal = deps.terminals.find(request.terminal_id, owner)
	if (terminal === undefined) {
		inbound.stream.reset('not_found', 'this terminal has ended, or belongs to another device')
		return
	}
	inbound.accept({ terminal_id: terminal.id, name: terminal.name })
	terminal.attach(inbound.stream, { cols: request.cols, rows: request.rows })
}

async function openRemote(
	{ link, owner }: { readonly link: NodeLink; readonly owner: TerminalOwner },
	inbound: InboundStream,
	request: RemoteRequest,
	deps: StreamDeps,
): Promise<void> {
	const { ownSsh } = deps
	const target: Target = {
		host: request.host ?? ownSsh.host,
		port: request.port ?? (request.kind === 'ssh' && request.host !== undefined ? 22 : ownSsh.port),
	}
	const decision = await decideTarget(target, ownSsh, deps.policy(), deps.resolve)
	if (decision.kind === 'refused') {
		inbound.stream.reset(decision.code, decision.message)
		return
	}
	if (request.kind === 'tcp') return openTcp(inbound, target, decision.addresses)
	if (!decision.isOwnSsh && !link.session.capabilities.includes('forward')) {
		inbound.stream.reset('capability_missing', 'this device may not reach other machines through this one (forward)')
		return
	}
	return openSsh(
		{
			inbound,
			request,
			target,
			owner,
			terminals: deps.terminals,
			hostKeys: deps.hostKeys,
			authMethod: decision.isOwnSsh ? deps.sshAuthMethod : 'credentials_prompt',
		},
		decision.addresses,
	)
}

function refuse(inbound: InboundStream, what: string): void {
	inbound.stream.reset(
		'policy_refused',
		`this machine's policy does not allow ${what}; its owner can change the agent's policy file`,
	)
}
