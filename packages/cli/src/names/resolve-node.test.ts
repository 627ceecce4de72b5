import type { Pairing } from '@sallyport/client'
import { nodeIdFromHash } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../exit-codes.ts'
import { resolveNode } from './resolve-node.ts'

const ID_A = nodeIdFromHash(new Uint8Array(32).fill(1))
const ID_B = nodeIdFromHash(new Uint8Array(32).fill(250))
const A = { id: ID_A, name: 'web' }
const B = { id: ID_B, name: 'db' }
const paired = (nodeId: typeof ID_A, nodeName: string): Pairing => ({
	nodeId,
	nodeName,
	fingerprint: '',
	pairedAtMs: 0,
	pairedBy: 'join',
})

describe('the machine that a person names', () => {
	it.each([
		['its name', 'web', ID_A],
		['its whole id', ID_B, ID_B],
		['the start of its id', ID_B.slice(0, 6), ID_B],
		['its short form', `${ID_A.slice(0, 4)}-${ID_A.slice(4, 8)}`, ID_A],
	])('is found by %s', (_name, text, expected) => {
		expect(resolveNode(text, [A, B], [])).toBe(expected)
	})

	it('is not found by what fits none, or too little of an id', () => {
		for (const text of ['nowhere', ID_A.slice(0, 3), '']) {
			expect(() => resolveNode(text, [A, B], [])).toThrow(expect.objectContaining({ status: EXIT.notFound }))
		}
	})

	it('must be named by id when a name or a start fits several', () => {
		expect(() => resolveNode('web', [A, { ...B, name: 'web' }], [])).toThrow(expect.objectContaining({ code: 'ambiguous' }))
		const twin = { id: nodeIdFromHash(new Uint8Array(32).fill(1).fill(9, 20)), name: 'twin' }
		expect(() => resolveNode(ID_A.slice(0, 8), [A, twin], [])).toThrow(expect.objectContaining({ code: 'ambiguous' }))
	})

	it('is not another one to which the relay gave the name of a paired machine', () => {
		const swapped = [
			{ id: ID_A, name: 'old-web' },
			{ id: ID_B, name: 'web' },
		]
		const pairings = [paired(ID_A, 'web'), paired(ID_B, 'db')]
		expect(() => resolveNode('web', swapped, pairings)).toThrow(
			expect.objectContaining({ code: 'name_moved', status: EXIT.refused }),
		)
		expect(resolveNode(ID_B, swapped, pairings)).toBe(ID_B)
	})

	it('may be a reinstalled one when the former of that name is gone', () => {
		expect(resolveNode('web', [{ id: ID_B, name: 'web' }], [paired(ID_A, 'web')])).toBe(ID_B)
	})

	it('is still known by its id when the relay does not list it', () => {
		expect(resolveNode(ID_A, [], [paired(ID_A, 'web')])).toBe(ID_A)
	})
})
