import type { AgentStatus, RelayState } from '@sallyport/agent'
import type { Context } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { showText } from '../../text/plain.ts'
import { formatAgo, formatDuration } from '../../text/quantities.ts'
import type { ServerFlags } from '../relay.ts'
import { agentHandle, runAgent } from './running.ts'

/** `sally agent start` */
export async function start(context: Context, flags: ServerFlags): Promise<number> {
	const { config } = await agentHandle(context, flags)
	return runAgent(context, config)
}

/** `sally agent stop` */
export async function stop(context: Context, flags: ServerFlags): Promise<number> {
	await (await agentHandle(context, flags)).control.ask({ op: 'stop' })
	return EXIT.ok
}

/** `sally agent reload`: reads the policy file again. */
export async function reload(context: Context, flags: ServerFlags): Promise<number> {
	const { problems } = await (await agentHandle(context, flags)).control.ask({ op: 'reload' })
	for (const problem of problems) context.say(problem)
	return problems.length === 0 ? EXIT.ok : EXIT.failed
}

/** `sally agent status` */
export async function status(context: Context, flags: ServerFlags): Promise<number> {
	const found = await (await agentHandle(context, flags)).control.ask({ op: 'status' })
	if (context.options.json) context.printJson(found)
	else for (const line of describe(found, Date.now())) context.print(line)
	return EXIT.ok
}

function describe(status: AgentStatus, nowMs: number): readonly string[] {
	const { relay, listener, policy, suspended } = status
	return [
		`${showText(status.name)}  ${status.nodeId}  (key ${status.fingerprint})`,
		`agent ${status.version}, process ${status.pid}, running for ${formatDuration(nowMs - status.startedAtMs)}`,
		relay === undefined
			? 'relay: none; run sally agent join or sally agent login'
			: `relay: ${showText(relay.origin)}, ${describeState(relay.state, nowMs)}${relay.owner === undefined ? '' : `, owner ${showText(relay.owner)}`}`,
		...(relay?.address === undefined ? [] : [`address as the relay sees it: ${showText(relay.address)}`]),
		...(listener === undefined ? [] : [`own address: ${listener.host}:${listener.port}`]),
		`data: ${status.dataDir}, keys sealed by ${status.sealedBy.replace('_', ' ')}`,
		`policy: ${policy.isDefault ? 'the default' : policy.path}`,
		...policy.problems.map((problem) => `  ${problem}`),
		...(suspended.users + suspended.sessions === 0
			? []
			: [
					`barred on the relay's word: ${suspended.users} users, ${suspended.sessions} devices (sally agent lift lets them in again)`,
				]),
		...(status.pairingRequest === undefined
			? []
			: [`${showText(status.pairingRequest.device_name)} asks to be let in: sally agent approve CODE, or sally agent deny`]),
		`devices paired: ${status.sessions}`,
		...status.links.map(
			(link) =>
				`  ${showText(link.deviceName)} of ${showText(link.user)}, ${link.via} from ${showText(link.address)}, since ${formatAgo(link.openedAtMs, nowMs)}, ${link.streams} streams`,
		),
		`terminals: ${status.terminals.length}`,
		...status.terminals.map(
			(terminal) =>
				`  ${terminal.terminal_id}  ${showText(terminal.name)} of ${showText(terminal.user)}, opened ${formatAgo(terminal.created_at, nowMs)}`,
		),
	]
}

function describeState(state: RelayState, nowMs: number): string {
	switch (state.kind) {
		case 'connected':
			return `connected for ${formatDuration(nowMs - state.sinceMs)}${state.latencyMs === undefined ? '' : `, ${Math.round(state.latencyMs)} ms`}`
		case 'connecting':
			return 'connecting'
		case 'waiting':
			return `not connected: ${showText(state.reason)}; next try in ${formatDuration(Math.max(0, state.untilMs - nowMs))}`
		case 'stopped':
			return 'stopped'
		default:
			return state satisfies never
	}
}
