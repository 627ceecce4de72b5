/** A relay and an agent as processes of their own, for tests that kill, starve or measure them. */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { createAgentControlClient } from '@sallyport/agent'
import type { SallyClient } from '@sallyport/client'
import { openNodeClient, openNodeProfile } from '@sallyport/client/node'
import { type NodeId, nodeIdSchema, parseInvite, parseWith } from '@sallyport/protocol'
import {
	type Child,
	createHome,
	type Home,
	isRoot,
	type Scope,
	sallyPath,
	startChild,
	startSally,
	waitFor,
} from '../harness/index.ts'
import { ACCOUNT } from './stand.ts'

export interface Processes {
	readonly origin: string
	readonly token: string
	readonly nodeId: NodeId
	readonly agentHome: Home
	readonly relayHome: Home
	relay: Child
	agent: Child
	readonly control: ReturnType<typeof createAgentControlClient>
	startRelay(): Promise<void>
	startAgent(): Promise<void>
	/** A paired client of the library; each name is a device. */
	client(name: string): Promise<SallyClient>
	untilConnected(): Promise<void>
	readonly relayLogs: () => string
	readonly agentLogs: () => string
}

export async function startProcesses(scope: Scope, settings: Readonly<Record<string, string>> = {}): Promise<Processes> {
	const relayHome = createHome(scope, 'relay')
	const agentHome = createHome(scope, 'agent')
	const children: { relay: Child[]; agent: Child[] } = { relay: [], agent: [] }
	const dataDir = join(agentHome.folder, 'agent-data')
	const relayEnv = { DATA_DIR: join(relayHome.folder, 'relay-data'), ...settings }
	const agentEnv = { DATA_DIR: dataDir, PORT: '0', NODE_NAME: 'box', STATS_REFRESH_INTERVAL: '1h', ...settings }

	const start = async (port: string) => {
		const relay = startSally(scope, relayHome, ['relay'], { ...relayEnv, PORT: port })
		children.relay.push(relay)
		const ready = await relay.waitForOutput(/Sallyport relay is ready: (\S+)/)
		return { relay, link: ready[1] ?? '' }
	}
	const first = await start('0')
	const { origin, port } = new URL(first.link)
	const setupSecret = new URLSearchParams(new URL(first.link).hash.slice(1)).get('setup') ?? ''
	const post = async (path: string, body: unknown, token?: string): Promise<Record<string, unknown>> => {
		const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
		const response = await fetch(origin + path, { method: 'POST', headers, body: JSON.stringify(body) })
		const answer: unknown = await response.json()
		if (!response.ok || typeof answer !== 'object' || answer === null) throw new Error(`${path}: ${JSON.stringify(answer)}`)
		return { ...answer }
	}
	await post('/api/setup', { ...ACCOUNT, username: 'ann', setup_secret: setupSecret })
	const token = String((await post('/api/cli/login', { ...ACCOUNT, device_name: 'test' }))['token'])
	const control = createAgentControlClient(dataDir)
	const startAgent = async (): Promise<Child> => {
		const agent = startChild(scope, ...agentCommand(), { name: 'sally agent start', env: { ...agentHome.env, ...agentEnv } })
		children.agent.push(agent)
		await waitFor('the agent to answer', () => control.isRunning(), 20_000)
		return agent
	}
	const agent = await startAgent()
	const enrolToken = String((await post('/api/enrol-tokens', { name: 'box' }, token))['token'])
	await control.ask({ op: 'enrol', origin, token: enrolToken })
	const nodeId = parseWith(nodeIdSchema, (await control.ask({ op: 'status' })).nodeId)
	if (!nodeId.ok) throw new Error(nodeId.error.detail)

	const processes: Processes = {
		origin,
		token,
		nodeId: nodeId.value,
		agentHome,
		relayHome,
		relay: first.relay,
		agent,
		control,
		async startRelay() {
			processes.relay = (await start(port)).relay
		},
		async startAgent() {
			processes.agent = await startAgent()
		},
		async client(name) {
			const profile = await openNodeProfile(join(scope.folder, `device-${name}`))
			const client = await openNodeClient({ profile, origin, token: async () => token, deviceName: name })
			scope.defer(() => client.close())
			if ((await client.pairings()).length > 0) return client
			const invite = parseInvite((await control.ask({ op: 'invite' })).text)
			if (!invite.ok) throw new Error(invite.error.detail)
			await client.pairByInvite(invite.value)
			return client
		},
		async untilConnected() {
			await waitFor(
				'the agent at the relay',
				async () => (await control.ask({ op: 'status' })).relay?.state.kind === 'connected',
				40_000,
			)
		},
		relayLogs: () => children.relay.map((child) => child.stdout() + child.stderr()).join(''),
		agentLogs: () => children.agent.map((child) => child.stdout() + child.stderr()).join(''),
	}
	await processes.untilConnected()
	return processes
}

/**
 * `sally agent start`, under its own process id. A terminal is a login shell of the account, with all that its owner put
 * into a profile; as root the agent gets an empty home in a mount namespace of its own instead.
 */
function agentCommand(): [string, readonly string[]] {
	const command = [process.execPath, sallyPath(), 'agent', 'start']
	const { homedir } = userInfo()
	if (!isRoot() || process.execPath.startsWith(homedir) || sallyPath().startsWith(homedir))
		return [process.execPath, command.slice(1)]
	return ['unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs none "$0" && exec "$@"', homedir, ...command]]
}

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
	const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
	return Number(kib) * 1024
}
