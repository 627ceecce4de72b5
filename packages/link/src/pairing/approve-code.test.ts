import { createHash, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../../test/support/crypto.ts'
import { runCryptoSync } from '../../../carrier/src/crypto/crypto-driver.ts'
import type { Crypto } from '../crypto/crypto-effects.ts'
import { approveCode, approveCommit, isApproveCommit, isSameCode, returnCode } from './approve-code.ts'

const run = <T>(work: Crypto<T>): T => runCryptoSync(nodeCrypto, work)
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const transcript = fc.record({ handshakeHash: bytes32, clientNonce: bytes32, nodeNonce: bytes32 })

/** Written from the specification alone, with other primitives. */
function prefixed(...fields: readonly Uint8Array[]): Buffer {
	return Buffer.concat(
		fields.flatMap((field) => {
			const length = Buffer.alloc(4)
			length.writeUInt32BE(field.length)
			return [length, field]
		}),
	)
}

describe('approve codes', () => {
	it('are what the specification says', () => {
		fc.assert(
			fc.property(transcript, ({ handshakeHash, clientNonce, nodeNonce }) => {
				const secret = prefixed(handshakeHash, clientNonce, nodeNonce)
				const number = (use: string): bigint =>
					BigInt(`0x${Buffer.from(hkdfSync('sha256', secret, 'sallyport-approve-code-v1', use, 32)).toString('hex')}`)
				const input = { handshakeHash, clientNonce, nodeNonce }
				expect(run(approveCode(input))).toBe(String(number('approve') % 1_000_000n).padStart(6, '0'))
				expect(run(returnCode(input))).toBe(String(number('return') % 10_000n).padStart(4, '0'))
				const commit = createHash('sha256')
					.update(prefixed(Buffer.from('sallyport-approve-commit-v1'), handshakeHash, clientNonce))
					.digest()
				expect(Buffer.from(run(approveCommit(handshakeHash, clientNonce)))).toEqual(commit)
			}),
		)
	})

	it('hold the client to the nonce that it committed to', () => {
		fc.assert(
			fc.property(bytes32, bytes32, bytes32, (handshakeHash, clientNonce, other) => {
				const commit = run(approveCommit(handshakeHash, clientNonce))
				expect(run(isApproveCommit(commit, handshakeHash, clientNonce))).toBe(true)
				fc.pre(Buffer.compare(clientNonce, other) !== 0 && Buffer.compare(handshakeHash, other) !== 0)
				expect(run(isApproveCommit(commit, handshakeHash, other))).toBe(false)
				expect(run(isApproveCommit(commit, other, clientNonce))).toBe(false)
			}),
		)
	})

	it('differ for a relay in the middle, whose two handshakes have two transcripts', () => {
		const seen = new Set<string>()
		for (let index = 0; index < 50; index++) {
			const handshakeHash = new Uint8Array(32).fill(index)
			seen.add(run(approveCode({ handshakeHash, clientNonce: new Uint8Array(32), nodeNonce: new Uint8Array(32) })))
		}
		expect(seen.size).toBeGreaterThan(48)
	})

	it('are compared by their digits alone', () => {
		expect(isSameCode('482177', '482177')).toBe(true)
		expect(isSameCode(' 482 177\n', '482177')).toBe(true)
		expect(isSameCode('482-177', '482177')).toBe(true)
		expect(isSameCode('482178', '482177')).toBe(false)
		expect(isSameCode('48217', '482177')).toBe(false)
		expect(isSameCode('', '482177')).toBe(false)
	})
})
