/** A real relay, real agents and real clients in this process, with a path between them that can be made to cheat. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Agent, type AgentConfig, createAgent, createAgentControlClient, parseAgentConfig } from '@sallyport/agent'
import type { LinkStream } from '@sallyport/carrier'
import type { NodeConnection, SallyClient } from '@sallyport/client'
import { openNodeClient, openNodeProfile } from '@sallyport/client/node'
import { type InviteBundle, type Logger, parseInvite, silentLogger } from '@sallyport/protocol'
import { createRelay, parseRelayConfig, type Relay } from '@sallyport/relay'
import { type Scope, waitFor } from '../harness/index.ts'
import { type CheatingPath, startCheatingPath } from './cheating-path.ts'

export const ACCOUNT = { email: 'ann@example.org', password: 'correct horse battery staple' } as const

export interface Machine {
	readonly agent: Agent
	readonly config: AgentConfig
	readonly control: ReturnType<typeof createAgentControlClient>
	invite(): Promise<InviteBundle>
}

export interface Person {
	readonly client: SallyClient
	/** The same device again, with nothing kept in memory. */
	reopen(): Promise<SallyClient>
}

export interface Stand {
	readonly path: CheatingPath
	readonly relay: Relay
	readonly token: string
	/** Of the owner, paired with nothing: for what people do at the relay. */
	readonly client: SallyClient
	/** A machine at the relay. */
	machine(name: string): Promise<Machine>
	/** An agent that runs and belongs to no relay yet. */
	freshAgent(name: string): Promise<Machine>
	/** A device of its own keys. */
	device(name: string): Promise<Person>
	/** A device that is paired with the machine. */
	paired(machine: Machine, name?: string): Promise<Person>
	post(path: string, body: unknown, token?: string): Promise<Record<string, unknown>>
}

export async function startStand(
	scope: Scope,
	options: { readonly log?: Logger; readonly pageDirectory?: string } = {},
): Promise<Stand> {
	const log = options.log ?? silentLogger
	const path = await startCheatingPath(scope)
	const folder = join(scope.folder, `stand-${Math.round(performance.now() * 1000)}`)
	mkdirSync(folder, { mode: 0o700 })
	const config = parseRelayConfig({ env: { PORT: '0', DATA_DIR: join(folder, 'relay'), PUBLIC_URL: path.origin } })
	if (!config.ok) throw new Error(config.problems.join('\n'))
	const limits = { newLinksPerMinute: 100_000, hellosPerMinute: 100_000 }
	const relay = await createRelay({ version: '0.0.0-test', log, ...pageOf(options) }, { ...config.value, ...limits })
	scope.defer(() => relay.close())
	path.target = `http://127.0.0.1:${relay.port}`

	const post: Stand['post'] = async (where, body, token) => {
		const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
		const response = await fetch(path.origin + where, { method: 'POST', headers, body: JSON.stringify(body) })
		const answer: unknown = await response.json()
		if (!response.ok || typeof answer !== 'object' || answer === null) throw new Error(`${where}: ${JSON.stringify(answer)}`)
		return { ...answer }
	}
	await post('/api/setup', { ...ACCOUNT, username: 'ann', setup_secret: relay.setup?.setupSecret })
	const token = String((await post('/api/cli/login', { ...ACCOUNT, device_name: 'stand' }))['token'])

	const owner = await openNodeProfile(join(folder, 'owner'))
	const client = await openNodeClient({ profile: owner, origin: path.origin, token: async () => token, deviceName: 'owner' })
	scope.defer(() => client.close())

	const stand: Stand = {
		client,
		path,
		relay,
		token,
		post,
		async freshAgent(name) {
			const parsed = parseAgentConfig({
				flags: { DATA_DIR: join(folder, `agent-${name}`), PORT: '0', NODE_NAME: name, STATS_REFRESH_INTERVAL: '1h' },
				env: {},
			})
			if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
			const agent = await createAgent({ log, random: () => 0 }, parsed.config)
			scope.defer(() => agent.close())
			await agent.start()
			const invite = async (): Promise<InviteBundle> => {
				const read = parseInvite((await agent.invite()).text)
				if (!read.ok) throw new Error(read.error.detail)
				return read.value
			}
			return { agent, config: parsed.config, control: createAgentControlClient(parsed.config.dataDir), invite }
		},
		async machine(name) {
			const machine = await stand.freshAgent(name)
			await machine.agent.enrol(path.origin, String((await post('/api/enrol-tokens', { name }, token))['token']))
			await waitFor(`${name} at the relay`, () => machine.agent.status().relay?.state.kind === 'connected')
			return machine
		},
		async device(name) {
			const open = async (): Promise<SallyClient> => {
				const profile = await openNodeProfile(join(folder, `device-${name}`))
				const client = await openNodeClient({ profile, origin: path.origin, token: async () => token, deviceName: name, log })
				scope.defer(() => client.close())
				return client
			}
			return { client: await open(), reopen: open }
		},
		async paired(machine, name = 'device') {
			const person = await stand.device(name)
			await person.client.pairByInvite(await machine.invite())
			return person
		},
	}
	return stand
}

function pageOf({ pageDirectory }: { readonly pageDirectory?: string }): { readonly pageDirectory?: string } {
	return pageDirectory === undefined ? {} : { pageDirectory }
}

/** What a stream gave so far. */
export interface Collected {
	readonly stream: LinkStream
	bytes(): Buffer
	readonly closed: Promise<void>
}

export function collect(stream: LinkStream): Collected {
	const chunks: Uint8Array[] = []
	let settle = (): void => {}
	const closed = new Promise<void>((resolve) => {
		settle = resolve
	})
	stream.setHandlers({
		onData: (bytes) => {
			chunks.push(Uint8Array.from(bytes))
			stream.consume(bytes.length)
		},
		onEnd: () => stream.end(),
		onClose: () => settle(),
	})
	return { stream, bytes: () => Buffer.concat(chunks), closed }
}

/** `cat` on the machine: what is written comes back. */
export async function openEcho(connection: NodeConnection): Promise<Collected> {
	return collect(await connection.openExec(['cat']))
}
