/** Who may import whom, and why. Arrows point down; what isn't listed is forbidden. */

/** @typedef {{ readonly to: string, readonly because: string }} Arrow */

/**
 * @typedef {object} Layer
 * @property {string} name the package below `packages/`
 * @property {readonly Arrow[]} arrows other packages of this project
 * @property {'none' | 'browser' | 'node' | 'both'} host whose modules it may use: none (pure), the browser's, Node's, or
 *   both, apart by subfolders `node/` and `browser/`
 * @property {readonly string[] | 'declared'} external outside packages, or whatever its package.json declares
 */

const toProtocol = { to: 'protocol', because: 'every part speaks the same messages, limits and codes' }
const toTransport = { to: 'transport', because: 'sockets come from one place' }
const toCarrier = { to: 'carrier', because: 'the carrier alone drives a link' }

/** @type {readonly Layer[]} */
export const LAYERS = [
	{ name: 'protocol', arrows: [], host: 'none', external: ['valibot'] },
	{ name: 'link', arrows: [toProtocol], host: 'none', external: ['valibot'] },
	{ name: 'transport', arrows: [toProtocol], host: 'both', external: 'declared' },
	{
		name: 'carrier',
		arrows: [{ to: 'link', because: 'it performs the effects of the pure link' }, toTransport, toProtocol],
		host: 'both',
		external: 'declared',
	},
	{ name: 'client', arrows: [toCarrier, toTransport, toProtocol], host: 'both', external: 'declared' },
	{ name: 'agent', arrows: [toCarrier, toTransport, toProtocol], host: 'node', external: 'declared' },
	{ name: 'relay', arrows: [toTransport, toProtocol], host: 'node', external: 'declared' },
	{
		name: 'web',
		arrows: [{ to: 'client', because: 'the page is a user of the client library' }, toProtocol],
		host: 'browser',
		external: 'declared',
	},
	{
		name: 'cli',
		arrows: [
			{ to: 'client', because: 'commands are users of the client library' },
			{ to: 'agent', because: '`sally agent` wires one' },
			{ to: 'relay', because: '`sally relay` wires one' },
			toCarrier,
			toTransport,
			toProtocol,
		],
		host: 'node',
		external: 'declared',
	},
	{ name: 'testkit', arrows: [toTransport, toProtocol], host: 'node', external: 'declared' },
	{
		name: 'conformance',
		arrows: [{ to: 'testkit', because: 'suites need its clock and randomness' }, toTransport, toProtocol],
		host: 'node',
		external: 'declared',
	},
]

/** Said when a forbidden arrow is met: the reason is worth more than the rule. */
export const REASONS = {
	'relay -> carrier': 'the relay must not be able to decrypt',
	'relay -> link': 'the relay must not be able to decrypt',
	'link -> transport': 'link is pure: it holds no sockets',
	'web -> agent': 'the page runs at the user, not on the machine reached',
	'web -> carrier': 'the page reaches links through the client library',
	'agent -> relay': 'agent and relay trust each other only over the wire',
	'relay -> agent': 'agent and relay trust each other only over the wire',
}

/** Tests may also use these, whatever their package. */
export const TEST_ONLY = ['testkit', 'conformance']

/** What those two may use from the root's development dependencies. */
export const TEST_TOOLS = ['vitest', 'fast-check']
