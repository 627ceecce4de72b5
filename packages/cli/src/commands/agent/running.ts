import {
	type Agent,
	type AgentConfig,
	type AgentControlClient,
	createAgent,
	createAgentControlClient,
	type RelayState,
} from '@sallyport/agent'
import type { Context } from '../../context.ts'
import { CliError } from '../../exit-codes.ts'
import { readAgentConfig } from '../../servers/agent-config.ts'
import { runUntilSignal } from '../../servers/run-until-signal.ts'
import { stderrLog } from '../../servers/stderr-log.ts'
import { showText } from '../../text/plain.ts'
import type { ServerFlags } from '../relay.ts'

/** The agent of a data folder: running in another process, or not at all. */
export interface AgentHandle {
	readonly config: AgentConfig
	readonly control: AgentControlClient
}

export async function agentHandle(context: Context, flags: ServerFlags): Promise<AgentHandle> {
	const config = await readAgentConfig(context, flags)
	return { config, control: createAgentControlClient(config.dataDir) }
}

/** An agent in this process that is not started: for acts on its state while no agent runs. */
export async function withStoppedAgent<T>(config: AgentConfig, act: (agent: Agent) => Promise<T>): Promise<T> {
	const agent = await createAgent({ log: stderrLog('warn') }, config)
	try {
		return await act(agent)
	} finally {
		await agent.close()
	}
}

/** Runs an agent in the foreground until it is told to end. `first` is done once it runs. */
export async function runAgent(
	context: Context,
	config: AgentConfig,
	first: (agent: Agent) => Promise<void> = async () => {},
): Promise<number> {
	let stop = (): void => {}
	const stopped = new Promise<void>((resolve) => {
		stop = resolve
	})
	const say = (line: string): void => context.say(line)
	const agent = await createAgent(
		{
			log: stderrLog(process.stderr.isTTY && config.logLevel === 'info' ? 'warn' : config.logLevel),
			onRelayState: (state) => {
				const line = describeRelayState(state)
				if (process.stderr.isTTY && line !== undefined) say(line)
			},
			onStopRequest: () => stop(),
		},
		config,
	)
	try {
		await agent.start()
		await first(agent)
	} catch (error) {
		await agent.close()
		throw error
	}
	if (agent.relay === undefined && config.patToken === undefined) {
		say('this machine is at no relay yet: run sally agent join … or sally agent login; this agent goes on and takes it up')
	}
	const reload = (): void => {
		agent.reload().catch((error: unknown) => say(CliError.from(error).message))
	}
	return runUntilSignal(() => agent.close(), { ended: stopped, onReload: reload })
}

/** What the agent waits for, in words. */
export function describeRelayState(state: RelayState): string | undefined {
	switch (state.kind) {
		case 'connected':
			return 'connected to the relay'
		case 'waiting':
			return `not connected: ${showText(state.reason)}`
		case 'connecting':
		case 'stopped':
			return undefined
		default:
			return undefined
	}
}
