import { describe, expect, it } from 'vitest'
import { encodeMessage } from './index.ts'

describe('encodeMessage', () => {
	it.each([
		['a plain array', Uint8Array.of(251, 255)],
		['a Node buffer, which has a toJSON of its own', Buffer.from([251, 255])],
	])('writes bytes as base64url: %s', (_name, challenge) => {
		expect(encodeMessage({ op: 'auth_required', ...{ challenge } })).toBe('{"op":"auth_required","challenge":"-_8"}')
	})
})
