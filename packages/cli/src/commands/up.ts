import { join } from 'node:path'
import { type Agent, type AgentConfig, createAgent, parseAgentConfig, type RelayState } from '@sallyport/agent'
import type { Logger } from '@sallyport/protocol'
import { createRelay, type Relay } from '@sallyport/relay'
import { VERSION } from '../build-id.ts'
import type { Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { findPageDirectory } from '../servers/page-directory.ts'
import { runUntilSignal, settingsError } from '../servers/run-until-signal.ts'
import { stderrLog } from '../servers/stderr-log.ts'
import { readRelayConfig, type ServerFlags } from './relay.ts'

/** The agent has this long to reach the relay beside it before the address is shown anyway. */
const CONNECT_MS = 5000

/** `sally up`: relay and agent in one process. Prints one line, with the one-use secrets of the first run in its fragment. */
export async function up(context: Context, flags: ServerFlags): Promise<number> {
	const { 'agent-host': agentHost, 'agent-port': agentPort, ...relaySettings } = flags.settings
	const config = await readRelayConfig(withFolder(context, 'relay', relaySettings['data-dir']), {
		...flags,
		settings: inFolder(relaySettings, 'relay'),
	})
	const agentConfig = readUpAgentConfig(context, relaySettings['data-dir'], { host: agentHost, port: agentPort })
	const log = stderrLog(relaySettings['log-level'] === undefined && !context.env['LOG_LEVEL'] ? 'warn' : config.logLevel)
	const pageDirectory = findPageDirectory()
	const relay = await createRelay({ version: VERSION, log, ...(pageDirectory === undefined ? {} : { pageDirectory }) }, config)
	let agent: Agent | undefined
	try {
		agent = await startAgent(relay, agentConfig, log, context)
		context.print(`Sallyport is ready: ${await readyUrl(relay, agent)}`)
		return await runUntilSignal(() => closeBoth(relay, agent))
	} catch (error) {
		await closeBoth(relay, agent)
		throw error
	}
}

async function closeBoth(relay: Relay, agent: Agent | undefined): Promise<void> {
	await agent?.close()
	await relay.close()
}

/** On the first run the link carries what makes its opener the owner, and pairs that browser with this machine. */
async function readyUrl(relay: Relay, agent: Agent): Promise<string> {
	if (relay.setup === undefined) return relay.url
	const base = `${relay.url}/#setup=${relay.setup.setupSecret}`
	if (agent.relay === undefined) return base
	return `${base}&invite=${(await agent.invite({ life: 'process' })).text}`
}

async function startAgent(relay: Relay, config: AgentConfig, log: Logger, context: Context): Promise<Agent> {
	let onState = (_state: RelayState): void => {}
	const connected = new Promise<void>((resolve) => {
		onState = (state) => {
			if (state.kind === 'connected') resolve()
		}
	})
	const agent = await createAgent({ log: log.child({ part: 'agent' }), onRelayState: (state) => onState(state) }, config)
	await agent.start()
	const known = agent.relay
	if (known !== undefined && known.relay_id !== relay.relayId) {
		context.say(`this machine's agent belongs to the relay at ${known.origin}: it stays there, and is not added to this one`)
		return agent
	}
	if (relay.setup !== undefined) {
		// Until there is an owner each start has a token of its own: the machine comes to whoever opens this start's link.
		if (known !== undefined) await agent.logout()
		await agent.enrol(relay.url, relay.setup.enrolToken)
	} else if (known !== undefined && known.origin !== relay.url) {
		await followRelay(relay, agent, known.origin, context)
	}
	if (agent.relay !== undefined)
		await Promise.race([connected, new Promise<void>((resolve) => setTimeout(resolve, CONNECT_MS).unref())])
	return agent
}

/** Both are of this process, so the relay's own word is enough; what was bound to the old address is told. */
async function followRelay(relay: Relay, agent: Agent, before: string, context: Context): Promise<void> {
	try {
		await agent.moveRelay(relay.url, relay.relayId)
	} catch (caught) {
		// The relay serves its other machines all the same.
		context.say(`this machine's agent stays at ${before}, where this relay was: ${CliError.from(caught).message}`)
		return
	}
	context.say(
		`this relay was at ${before} and is at ${relay.url} now; this machine's agent has followed. ` +
			'A browser is another device at another address: pair it again, or set HOST, PORT or PUBLIC_URL as before. ' +
			`Command lines keep their pairings: sally login ${relay.url}. Join lines and invites of before no longer work, ` +
			'and other machines look for the relay where it was',
	)
}

function readUpAgentConfig(
	context: Context,
	dataDir: string | undefined,
	own: { readonly host: string | undefined; readonly port: string | undefined },
): AgentConfig {
	const { HOST: _host, PORT: _port, DATA_DIR: _folder, ...env } = context.env
	const base = dataDir ?? context.env['DATA_DIR']
	const parsed = parseAgentConfig({
		flags: {
			HOST: own.host ?? context.env['AGENT_HOST'],
			PORT: own.port ?? context.env['AGENT_PORT'],
			...(base ? { DATA_DIR: join(base, 'agent') } : {}),
		},
		env: { ...env, LOG_LEVEL: undefined },
	})
	if (parsed.ok) return { ...parsed.config, isPortFlexible: true }
	throw settingsError(parsed.problems.map((problem) => problem.replace(/^(HOST|PORT)\b/, 'AGENT_$1')))
}

/** One folder for both: each keeps to its own below it. */
function inFolder(settings: ServerFlags['settings'], name: string): ServerFlags['settings'] {
	const folder = settings['data-dir']
	return folder === undefined ? settings : { ...settings, 'data-dir': join(folder, name) }
}

function withFolder(context: Context, name: string, flag: string | undefined): Context {
	const folder = context.env['DATA_DIR']
	return flag === undefined && folder ? { ...context, env: { ...context.env, DATA_DIR: join(folder, name) } } : context
}
