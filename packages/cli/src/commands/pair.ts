import { ClientError, type Pairing, pairingOf, type SallyClient } from '@sallyport/client'
import { createFileStore } from '@sallyport/client/node'
import { fingerprintOf, type NodeId, parseInvite } from '@sallyport/protocol'
import { stopBackground } from '../background/stop.ts'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { resolveNode } from '../names/resolve-node.ts'
import { requirePrompter } from '../terminal/prompt.ts'
import { readStdin } from '../terminal/read-stdin.ts'
import { showText } from '../text/plain.ts'

export interface PairOptions {
	/** The invite comes on standard input. */
	readonly invite?: boolean
	readonly yes?: boolean
	readonly forget?: boolean
}

/** `sally pair NODE`, `sally pair --invite` */
export async function pair(context: Context, node: string | undefined, options: PairOptions): Promise<number> {
	const { direct } = context.options
	if (options.forget === true) return forget(context, node)
	if (direct !== undefined && options.invite === true)
		throw new CliError(EXIT.usage, 'an invite leads through its relay: leave out --direct')
	if (direct !== undefined) return pairDirectly(context, direct, node)
	const client = await (await context.openProfile()).openClient()
	try {
		if (options.invite === true) return done(context, await pairByInvite(client, options))
		if (node === undefined) throw new CliError(EXIT.usage, 'which machine? run: sally pair NODE')
		const [{ nodes }, pairings] = await Promise.all([client.api.nodes(), client.pairings()])
		const nodeId = resolveNode(node, nodes, pairings)
		refusePaired(nodeId, pairings)
		return done(context, await pairByApproval(context, client, nodeId))
	} finally {
		client.close()
	}
}

/** `sally pair --direct HOST:PORT`: whoever answers there, and proves to be who it says; no relay, no sign-in. */
async function pairDirectly(context: Context, address: string, node: string | undefined): Promise<number> {
	const client = await (await context.openProfile()).openDirect(address)
	try {
		const nodeId = await client.whoAnswers()
		if (node !== undefined && !nodeId.startsWith(node.replaceAll('-', ''))) {
			throw new CliError(EXIT.notFound, `another machine answers there: its key is ${fingerprintOf(nodeId)}`)
		}
		refusePaired(nodeId, await client.pairings())
		context.say(`a machine with the key ${fingerprintOf(nodeId)} answers; sally agent status shows its key there`)
		return done(context, await pairByApproval(context, client, nodeId, CLOSED))
	} finally {
		client.close()
	}
}

const CLOSED = 'the machine lets nobody ask at its own address now: run sally agent pair there, then this again'

function refusePaired(nodeId: NodeId, pairings: readonly Pairing[]): void {
	if (!pairings.some((pairing) => pairing.nodeId === nodeId)) return
	throw new CliError(EXIT.failed, 'this computer is paired with that machine already; --forget drops the pairing', {
		code: 'conflict',
	})
}

type Asker = Pick<SallyClient, 'requestApproval' | 'fingerprint'>

/** `untaken` says what it means when the machine does not even take the request. */
async function pairByApproval(context: Context, client: Asker, nodeId: NodeId, untaken?: string): Promise<Pairing> {
	const prompter = requirePrompter('use an invite: sally agent invite on the machine, then sally pair --invite')
	const request = client.requestApproval(nodeId)
	let hasFailed = false
	let isTaken = false
	const stop = request.onState((state) => {
		if (state.kind === 'failed') hasFailed = true
		if (state.kind === 'queued') context.say(`others are being let in; ${state.position} before you`)
		if (state.kind !== 'code') return
		isTaken = true
		context.say(`\nAt the machine type:  sally agent approve ${state.code}`)
		context.say(`or type ${state.code} on a device that may approve. It must name this fingerprint: ${client.fingerprint}`)
	})
	const approved = new Promise<void>((resolve) => request.onState((state) => state.kind === 'approved' && resolve()))
	process.once('SIGINT', () => request.cancel())
	try {
		await Promise.race([approved, request.paired])
		while (!hasFailed) {
			if (await request.confirm(await prompter.text('The machine shows four digits; type them here: '))) break
			if (!hasFailed) context.say('these are not the digits that this computer expects')
		}
		return await request.paired
	} catch (error) {
		if (isTaken || untaken === undefined || ClientError.from(error).code !== 'pairing_failed') throw error
		throw new CliError(EXIT.refused, untaken, { code: 'pairing_failed', cause: error })
	} finally {
		stop()
		prompter.close()
	}
}

async function pairByInvite(client: SallyClient, options: PairOptions): Promise<Pairing> {
	const text = (await readStdin(16 * 1024)).trim()
	// A whole link may be pasted: the invite is in its fragment.
	const invite = parseInvite(/sly_invite_v1\.[A-Za-z0-9_-]+/.exec(text)?.[0] ?? text)
	if (!invite.ok) throw new CliError(EXIT.usage, invite.error.detail)
	if (options.yes !== true) {
		const prompter = requirePrompter('add --yes to take the invite without a question')
		const isTaken = await prompter
			.confirm(
				`Pair with ${showText(invite.value.node_name)} (key ${fingerprintOf(invite.value.node_id)}) at ${showText(invite.value.origin)}?`,
			)
			.finally(() => prompter.close())
		if (!isTaken) throw new CliError(EXIT.failed, 'not paired')
	}
	return client.pairByInvite(invite.value)
}

/** A matter of this computer alone: it needs neither a relay nor a sign-in. */
async function forget(context: Context, node: string | undefined): Promise<number> {
	if (node === undefined) throw new CliError(EXIT.usage, 'which machine? run: sally pair --forget NODE')
	const { directory, sealing } = (await context.openProfile()).files
	const warn = (name: string): void => context.say(`${name} is damaged and was set aside`)
	const store = createFileStore(directory, sealing, warn)
	const pairings = (await store.pairings()).map(pairingOf)
	const listed = pairings.map((pairing) => ({ id: pairing.nodeId, name: pairing.nodeName }))
	await store.deletePairing(resolveNode(node, listed, pairings))
	await stopBackground(context.paths)
	context.say('forgotten here; to bar this computer there as well: sally agent revoke on the machine')
	return EXIT.ok
}

function done(context: Context, pairing: Pairing): number {
	if (context.options.json) context.printJson(pairing)
	else context.say(`paired with ${showText(pairing.nodeName)} (key ${pairing.fingerprint})`)
	return EXIT.ok
}
