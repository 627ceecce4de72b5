import { describe, expect, it } from 'vitest'
import { CLOSE, closeFromCode, LINK_END_CODES, RESET_CODES } from './codes.ts'
import { API_ERROR_CODES } from './http-api.ts'
import { FAULT_CODES } from './result.ts'

const closes = Object.values(CLOSE)

describe('close codes', () => {
	it('are each found by their number', () => {
		for (const close of closes) expect(closeFromCode(close.code)).toEqual(close)
	})

	it('have a number and a name of their own', () => {
		expect(new Set(closes.map((close) => close.code)).size).toBe(closes.length)
		expect(new Set(closes.map((close) => close.name)).size).toBe(closes.length)
	})

	it.each([0, 1005, 3000, 4000, 4499, -1, Number.NaN])('%s is unknown: a lost connection, which may be retried', (code) => {
		expect(closeFromCode(code)).toEqual(CLOSE.lost)
		expect(closeFromCode(code).retry).toBe(true)
	})

	it('are numbers that WebSockets may carry or report', () => {
		for (const { code } of closes)
			expect([1000, 1006, 1009, 1012, 1013].includes(code) || (code >= 4400 && code < 4500)).toBe(true)
	})

	it('say what happened in lower case, without a full stop, and fit a close frame', () => {
		for (const { message } of closes) {
			expect(message).toMatch(/^[a-z].*[^.]$/)
			expect(message.length).toBeLessThanOrEqual(123)
		}
	})

	it('tell a client to retry only where the same act may succeed', () => {
		const final = closes.filter((close) => !close.retry).map((close) => close.code)
		expect(final.sort((left, right) => left - right)).toEqual([1000, 1009, 4400, 4401, 4403, 4404, 4412, 4426])
	})
})

describe.each([
	['stream resets', RESET_CODES, /^[a-z]+(_[a-z]+)*$/],
	['link ends', LINK_END_CODES, /^[a-z]+(_[a-z]+)*$/],
	['HTTP errors', API_ERROR_CODES, /^[a-z]+(_[a-z]+)*$/],
	['faults', FAULT_CODES, /^[A-Z]+(_[A-Z]+)*$/],
])('codes of %s', (_what, codes: readonly string[], shape) => {
	it('are written in one way, each once', () => {
		for (const code of codes) expect(code).toMatch(shape)
		expect(new Set(codes).size).toBe(codes.length)
	})
})
