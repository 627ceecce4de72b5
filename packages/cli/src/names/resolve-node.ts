import type { Pairing } from '@sallyport/client'
import type { NodeId, NodeInfo } from '@sallyport/protocol'
import { CliError, EXIT } from '../exit-codes.ts'
import { showText } from '../text/plain.ts'

const ID = /^[a-z2-7]{52}$/
/** Shorter prefixes are more likely names. */
const PREFIX = /^[a-z2-7]{4,51}$/

type Listed = Pick<NodeInfo, 'id' | 'name'>

/**
 * The machine that a person means: by whole id, by name, by the start of an id (dashes as shown are ignored).
 *
 * Names come from the relay, pairings from the machines themselves. A relay that moves the name of a paired machine to
 * another one must not get what was meant for the first: then the name alone is not enough.
 */
export function resolveNode(text: string, nodes: readonly Listed[], pairings: readonly Pairing[]): NodeId {
	const exact = nodes.find((node) => node.id === text)
	if (exact !== undefined) return exact.id
	const named = nodes.filter((node) => node.name === text)
	const [only, ...others] = named
	if (only !== undefined && others.length === 0) {
		refuseMovedName(only, nodes, pairings)
		return only.id
	}
	if (others.length > 0) throw ambiguous(text, named)
	const start = text.replaceAll('-', '')
	const started = PREFIX.test(start) ? nodes.filter((node) => node.id.startsWith(start)) : []
	const [first, ...more] = started
	if (first !== undefined && more.length === 0) return first.id
	if (more.length > 0) throw ambiguous(text, started)
	const paired = pairings.find((pairing) => pairing.nodeId === text)
	if (paired !== undefined && ID.test(text)) return paired.nodeId
	throw new CliError(
		EXIT.notFound,
		`no machine called ${quoted(text)}: it does not exist, or is not shared with you. See sally nodes`,
		{ code: 'not_found' },
	)
}

function refuseMovedName(found: Listed, nodes: readonly Listed[], pairings: readonly Pairing[]): void {
	const before = pairings.find((pairing) => pairing.nodeName === found.name && pairing.nodeId !== found.id)
	if (before === undefined || pairings.some((pairing) => pairing.nodeId === found.id && pairing.nodeName === found.name)) return
	// A relay can hide the first one too: then the name must not lead to another machine that this computer may enter.
	const isStillThere = nodes.some((node) => node.id === before.nodeId)
	if (!isStillThere && !pairings.some((pairing) => pairing.nodeId === found.id)) return
	throw new CliError(
		EXIT.refused,
		`the relay now gives the name ${quoted(found.name)} to another machine than the one paired under it. ` +
			`Name the one you mean by its id: ${before.nodeId} was paired as ${quoted(before.nodeName)}, ${found.id} has the name now`,
		{ code: 'name_moved' },
	)
}

function ambiguous(text: string, nodes: readonly Listed[]): CliError {
	const list = nodes.map((node) => `  ${node.id}  ${showText(node.name)}`).join('\n')
	return new CliError(EXIT.usage, `${quoted(text)} fits several machines; name one by its id:\n${list}`, { code: 'ambiguous' })
}

function quoted(text: string): string {
	return `"${showText(text, 80)}"`
}
